/* driver.h - as much of the CUDA driver and of NVML as measuring needs, found at run time.
 *
 * Nothing of a vendor is needed to build: the few entry points are declared here as their
 * documentation has them, and looked up in libcuda.so.1 and libnvidia-ml.so.1.
 */
#ifndef TESTS_MEASURE_DRIVER_H
#define TESTS_MEASURE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t device_address;

struct driver;

/* NULL with the reason in `why` (no library, no card): a machine without a GPU. */
struct driver *driver_open(char *why, size_t size);
void           driver_close(struct driver *d);

const char *driver_card(const struct driver *d);            /* "NVIDIA H200" */
unsigned    driver_capability(const struct driver *d);      /* 90 for sm_90 */
uint64_t    driver_memory_bytes(const struct driver *d);    /* free */

/* All of these end the program with the driver's words if it refuses: a measurement that
 * went wrong is none. */
device_address driver_allocate(struct driver *d, uint64_t bytes);
void           driver_free(struct driver *d, device_address a);
void           driver_write(struct driver *d, device_address to, const void *from, size_t bytes);
void           driver_read(struct driver *d, void *to, device_address from, size_t bytes);
void           driver_fill(struct driver *d, device_address to, uint32_t word, uint64_t words);

/* A module is loaded from PTX text (ended by 0); a function is one kernel of it. */
void *driver_module(struct driver *d, const char *ptx);
void *driver_function(struct driver *d, void *module, const char *name, uint32_t shared_bytes);
void  driver_unload(struct driver *d, void *module);
void  driver_launch(struct driver *d, void *function, const uint32_t grid[3],
                    const uint32_t block[3], uint32_t shared_bytes, const void *params,
                    size_t param_bytes);
void  driver_wait(struct driver *d);

/* Seconds of device time between two calls, with all that was launched in between. */
void   driver_timer_start(struct driver *d);
double driver_timer_stop(struct driver *d);
bool   driver_timer_running(struct driver *d);      /* after driver_timer_mark */
void   driver_timer_mark(struct driver *d);

/* Negative where the card does not tell. */
double driver_power_w(const struct driver *d);
double driver_clock_mhz(const struct driver *d);

#endif
