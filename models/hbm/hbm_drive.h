/* hbm_drive.h - feeds stacks at their port with one of eight known streams of requests.
 *
 * Requests are 64 bytes.  The source never waits for answers: in front of each channel's
 * controller stands a queue of 64 requests, kept full from one global stream in its order
 * (if one channel's queue is full the stream stops there); what the controller has room
 * for it takes.  Two streams have one request outstanding instead.
 *
 *     stream --> [ 64 ] --> channel 0
 *            \-> [ 64 ] --> channel 1 ...
 *
 * These are the streams that docs/hbm.md compares other simulators on.
 *
 * Not modelled: who would send such streams; the way to the memory and back.
 */
#ifndef MODELS_HBM_DRIVE_H
#define MODELS_HBM_DRIVE_H

#include "models/hbm/hbm.h"

struct hbm_stream {
    const char *name, *what;
    /* Request i of the stream for `channels` channels; `random` is the stream's state. */
    struct hbm_request (*request)(uint64_t i, uint64_t channels, uint64_t *random);
    bool        one_outstanding;
};

extern const struct hbm_stream hbm_streams[];
extern const size_t            hbm_streams_count;

/* By name, or by its letters before the first '_' ("c1"); NULL if there is none. */
const struct hbm_stream *hbm_stream_find(const char *name);

struct hbm_drive {
    const struct hbm_stream *stream;
    uint64_t requests;          /* of 64 bytes */
    uint32_t run_bytes;         /* 64, or more: as many requests in a row as one run, for
                                 * streams whose requests follow each other */
};

struct hbm_driven {
    struct hbm_stats stats;     /* of all stacks, until the last answer */
    tick_t   time;              /* from the first request to the last answer */
    tick_t   latency;           /* of all read requests together, from the port on */
    uint64_t read_requests;
    uint64_t bytes;
};

/* Requires hbm_check(config, map). */
struct hbm_driven hbm_drive(const struct hbm_config *config, const struct hbm_map *map,
                            const struct hbm_drive *drive);

/* What the peers' tables give, worked out from the counts. */
double hbm_driven_fraction_of_peak(const struct hbm_driven *r, const struct hbm_config *c);
double hbm_driven_hit_fraction(const struct hbm_driven *r);
double hbm_driven_activates_per_kib(const struct hbm_driven *r);
double hbm_driven_latency_ns(const struct hbm_driven *r);

#endif
