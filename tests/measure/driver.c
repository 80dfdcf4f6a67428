/* driver.c - see driver.h. */
#include "tests/measure/driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTRIBUTE_MAJOR 75              /* CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR */
#define ATTRIBUTE_MINOR 76
#define FUNCTION_SHARED 8               /* CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */
#define PARAM_POINTER ((void *)1)       /* CU_LAUNCH_PARAM_BUFFER_POINTER, _SIZE, _END */
#define PARAM_SIZE    ((void *)2)
#define PARAM_END     ((void *)0)
#define NOT_READY 600
#define NVML_CLOCK_SM 1

/* The entry points: name in the library, field, parameters. */
#define CUDA_CALLS(X)                                                                     \
    X(cuInit, init, (unsigned))                                                           \
    X(cuDeviceGet, device_get, (int *, int))                                              \
    X(cuDeviceGetName, device_name, (char *, int, int))                                   \
    X(cuDeviceGetAttribute, device_attribute, (int *, int, int))                          \
    X(cuDevicePrimaryCtxRetain, context_retain, (void **, int))                           \
    X(cuDevicePrimaryCtxRelease_v2, context_release, (int))                               \
    X(cuCtxSetCurrent, context_set, (void *))                                             \
    X(cuCtxSynchronize, synchronize, (void))                                              \
    X(cuMemGetInfo_v2, memory_info, (size_t *, size_t *))                                 \
    X(cuMemAlloc_v2, allocate, (device_address *, size_t))                                \
    X(cuMemFree_v2, release, (device_address))                                            \
    X(cuMemcpyHtoD_v2, to_device, (device_address, const void *, size_t))                 \
    X(cuMemcpyDtoH_v2, to_host, (void *, device_address, size_t))                         \
    X(cuMemsetD32_v2, fill, (device_address, unsigned, size_t))                           \
    X(cuModuleLoadData, module_load, (void **, const void *))                             \
    X(cuModuleUnload, module_unload, (void *))                                            \
    X(cuModuleGetFunction, function_get, (void **, void *, const char *))                 \
    X(cuFuncSetAttribute, function_set, (void *, int, int))                               \
    X(cuLaunchKernel, launch, (void *, unsigned, unsigned, unsigned, unsigned, unsigned,  \
                               unsigned, unsigned, void *, void **, void **))             \
    X(cuEventCreate, event_new, (void **, unsigned))                                      \
    X(cuEventRecord, event_record, (void *, void *))                                      \
    X(cuEventSynchronize, event_wait, (void *))                                           \
    X(cuEventQuery, event_query, (void *))                                                \
    X(cuEventElapsedTime, event_elapsed, (float *, void *, void *))                       \
    X(cuGetErrorString, error_text, (int, const char **))

#define NVML_CALLS(X)                                                                     \
    X(nvmlInit_v2, nvml_init, (void))                                                     \
    X(nvmlDeviceGetHandleByIndex_v2, nvml_device, (unsigned, void **))                    \
    X(nvmlDeviceGetPowerUsage, nvml_power, (void *, unsigned *))                          \
    X(nvmlDeviceGetClockInfo, nvml_clock, (void *, int, unsigned *))

struct driver {
    void *cuda, *nvml, *card;           /* libraries; NVML's handle, or NULL */
    void *context, *begin, *end;
    int   device;
    char  name[96];
    unsigned capability;
#define CALL(symbol, field, parameters) int (*field) parameters;
    CUDA_CALLS(CALL)
    NVML_CALLS(CALL)
#undef CALL
};

/* A pointer to a function out of a pointer to data, as POSIX allows for dlsym. */
static bool find(void *library, const char *symbol, void *field)
{
    void *p = library ? dlsym(library, symbol) : NULL;
    memcpy(field, &p, sizeof p);
    return p != NULL;
}

static void must(struct driver *d, int status, const char *what)
{
    const char *text = "unknown error";
    if (status == 0)
        return;
    d->error_text(status, &text);
    fprintf(stderr, "gpu-measure: %s: %s\n", what, text);
    exit(1);
}

static bool find_all(struct driver *d)
{
    bool all = true;
#define CALL(symbol, field, parameters) all = find(d->cuda, #symbol, &d->field) && all;
    CUDA_CALLS(CALL)
#undef CALL
#define CALL(symbol, field, parameters) find(d->nvml, #symbol, &d->field);
    NVML_CALLS(CALL)
#undef CALL
    return all;
}

static void look_at_card(struct driver *d)
{
    int major = 0, minor = 0;
    must(d, d->device_name(d->name, sizeof d->name, d->device), "its name");
    must(d, d->device_attribute(&major, ATTRIBUTE_MAJOR, d->device), "its capability");
    must(d, d->device_attribute(&minor, ATTRIBUTE_MINOR, d->device), "its capability");
    d->capability = (unsigned)(10 * major + minor);
    must(d, d->context_retain(&d->context, d->device), "a context");
    must(d, d->context_set(d->context), "a context");
    must(d, d->event_new(&d->begin, 0), "a timer");
    must(d, d->event_new(&d->end, 0), "a timer");
    if (!d->nvml_init || !d->nvml_device || d->nvml_init() != 0
        || d->nvml_device(0, &d->card) != 0)
        d->card = NULL;
}

struct driver *driver_open(char *why, size_t size)
{
    struct driver *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->cuda = dlopen("libcuda.so.1", RTLD_NOW);
    d->nvml = dlopen("libnvidia-ml.so.1", RTLD_NOW);
    const char *lacks = !d->cuda ? "there is no libcuda.so.1"
                      : !find_all(d) ? "libcuda.so.1 lacks an entry point"
                      : d->init(0) != 0 ? "the driver finds no card"
                      : d->device_get(&d->device, 0) != 0 ? "there is no card 0" : NULL;
    if (!lacks) {
        look_at_card(d);
        return d;
    }
    snprintf(why, size, "%s", lacks);
    driver_close(d);
    return NULL;
}

void driver_close(struct driver *d)
{
    if (!d)
        return;
    if (d->context)
        d->context_release(d->device);
    if (d->cuda)
        dlclose(d->cuda);
    if (d->nvml)
        dlclose(d->nvml);
    free(d);
}

const char *driver_card(const struct driver *d)       { return d->name; }
unsigned    driver_capability(const struct driver *d) { return d->capability; }

uint64_t driver_memory_bytes(const struct driver *d)
{
    size_t left = 0, all = 0;
    return d->memory_info(&left, &all) == 0 ? left : 0;
}

device_address driver_allocate(struct driver *d, uint64_t bytes)
{
    device_address a = 0;
    must(d, d->allocate(&a, bytes), "memory");
    return a;
}

void driver_free(struct driver *d, device_address a)
{
    must(d, d->release(a), "freeing memory");
}

void driver_write(struct driver *d, device_address to, const void *from, size_t bytes)
{
    must(d, d->to_device(to, from, bytes), "a copy to the card");
}

void driver_read(struct driver *d, void *to, device_address from, size_t bytes)
{
    must(d, d->to_host(to, from, bytes), "a copy from the card");
}

void driver_fill(struct driver *d, device_address to, uint32_t word, uint64_t words)
{
    must(d, d->fill(to, word, words), "filling memory");
}

void *driver_module(struct driver *d, const char *ptx)
{
    void *module = NULL;
    must(d, d->module_load(&module, ptx), "a module");
    return module;
}

void *driver_function(struct driver *d, void *module, const char *name, uint32_t shared_bytes)
{
    void *function = NULL;
    must(d, d->function_get(&function, module, name), name);
    must(d, d->function_set(function, FUNCTION_SHARED, (int)shared_bytes), name);
    return function;
}

void driver_unload(struct driver *d, void *module)
{
    must(d, d->module_unload(module), "unloading a module");
}

void driver_launch(struct driver *d, void *function, const uint32_t grid[3],
                   const uint32_t block[3], uint32_t shared_bytes, const void *params,
                   size_t param_bytes)
{
    char copy[4096];
    if (param_bytes > sizeof copy)
        abort();
    memcpy(copy, params, param_bytes);
    void *extra[] = { PARAM_POINTER, copy, PARAM_SIZE, &param_bytes, PARAM_END };
    must(d, d->launch(function, grid[0], grid[1], grid[2], block[0], block[1], block[2],
                      shared_bytes, NULL, NULL, extra), "a launch");
}

void driver_wait(struct driver *d)
{
    must(d, d->synchronize(), "a kernel");
}

void driver_timer_start(struct driver *d)
{
    must(d, d->event_record(d->begin, NULL), "a timer");
}

void driver_timer_mark(struct driver *d)
{
    must(d, d->event_record(d->end, NULL), "a timer");
}

bool driver_timer_running(struct driver *d)
{
    return d->event_query(d->end) == NOT_READY;
}

double driver_timer_stop(struct driver *d)
{
    float ms = 0;
    driver_timer_mark(d);
    must(d, d->event_wait(d->end), "a timer");
    must(d, d->event_elapsed(&ms, d->begin, d->end), "a timer");
    return (double)ms * 1e-3;
}

double driver_power_w(const struct driver *d)
{
    unsigned mw = 0;
    return d->card && d->nvml_power && d->nvml_power(d->card, &mw) == 0 ? mw * 1e-3 : -1;
}

double driver_clock_mhz(const struct driver *d)
{
    unsigned mhz = 0;
    return d->card && d->nvml_clock && d->nvml_clock(d->card, NVML_CLOCK_SM, &mhz) == 0
               ? (double)mhz : -1;
}
