/* events.h - what a core counts for energy; prices are in models/energy/. */
#ifndef MODELS_TPU_EVENTS_H
#define MODELS_TPU_EVENTS_H

#define TPU_EVENTS(X) \
    X(MAC,        "multiply-accumulates", "done by the matrix units for the trace") \
    X(MAC_PAD,    "multiply-accumulates", "done by the matrix units on padding") \
    X(WEIGHT,     "weights",              "pushed into a matrix unit") \
    X(VPU,        "lane operations",      "of the vector unit") \
    X(EUP,        "lane operations",      "of the transcendental unit") \
    X(XLU,        "bytes",                "through the transpose and cross-lane units") \
    X(VMEM_READ,  "bytes",                "read from vector memory") \
    X(VMEM_WRITE, "bytes",                "written to vector memory") \
    X(DMA,        "bytes",                "carried between HBM and vector memory") \
    X(ICI,        "bytes",                "sent to another core")

enum tpu_event {
#define EVENT(id, unit, what) TPU_EVENT_##id,
    TPU_EVENTS(EVENT)
#undef EVENT
    TPU_EVENTS_COUNT
};

#endif
