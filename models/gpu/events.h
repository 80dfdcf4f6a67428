/* events.h - what of a GPU is counted to be paid for.
 *
 * Not modelled: bits that toggle (a zero costs as much as any number); what changes of the
 * clock and the voltage cost.
 */
#ifndef MODELS_GPU_EVENTS_H
#define MODELS_GPU_EVENTS_H

/* id, price in the energy section, unit, what */
#define GPU_EVENTS(X) \
    X(ISSUE,        issue_pj,         "operations", "a warp's operation fetched, decoded and issued") \
    X(OPERAND_READ, operand_read_pj,  "operands",   "a register operand of a warp read") \
    X(OPERAND_WRITE, operand_write_pj, "operands",  "a register operand of a warp written") \
    X(FP32,         fp32_pj,          "lanes",      "a lane's single-precision operation") \
    X(INT,          int_pj,           "lanes",      "a lane's integer operation") \
    X(IMAD,         imad_pj,          "lanes",      "a lane's integer multiply-add") \
    X(FP16,         fp16_pj,          "lanes",      "a lane's packed half-precision operation") \
    X(FP64,         fp64_pj,          "lanes",      "a lane's double-precision operation") \
    X(SFU,          sfu_pj,           "lanes",      "a lane's special function") \
    X(CONVERT,      convert_pj,       "lanes",      "a lane's conversion") \
    X(TENSOR,       tensor_pj,        "macs",       "a multiply-accumulate of a tensor core") \
    X(SHARED,       shared_pj,        "bytes",      "a byte read from or written to shared memory") \
    X(L1_TAG,       l1_tag_pj,        "lines",      "a line looked up in L1") \
    X(L1,           l1_pj,            "bytes",      "a byte read from or written to L1's data") \
    X(CROSSBAR,     crossbar_pj,      "bytes",      "a byte through the crossbar, either way") \
    X(L2_TAG,       l2_tag_pj,        "lines",      "a line looked up in L2") \
    X(L2,           l2_pj,            "bytes",      "a byte read from or written to an L2 slice") \
    X(FAR,          far_pj,           "bytes",      "a byte between L2 partitions") \
    X(FETCH,        fetch_pj,         "lines",      "an instruction line fetched into a sub-core's cache")

enum gpu_event {
#define EVENT(id, price, unit, what) GPU_EVENT_##id,
    GPU_EVENTS(EVENT)
#undef EVENT
    GPU_EVENTS_COUNT
};

#endif
