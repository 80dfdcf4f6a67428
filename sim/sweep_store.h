/* sweep_store.h - a folder of results, a file a point, named by the hash of its input.
 *
 *     FOLDER/0f3a...c1.json.gz     {"sweep", "simaccel", "input", "status": "done", "result"}
 *                                  {..., "status": "failed", "message"}
 *
 * A file appears whole or not at all, so that many may write there at once, on a shared file
 * system too, and a kill loses only what was running.  What is no plain file, cannot be read, is
 * of another input or version, or of a point that is done lacks a whole result (a time above
 * 0, ops, amounts that go with their rates), counts as none;
 * the point is run again and its file takes the place of what was there,
 * a link's too.
 *
 * Not done: taking away what a killed run had begun to write (HASH.json.gz.XXXXXX).
 */
#ifndef SIM_SWEEP_STORE_H
#define SIM_SWEEP_STORE_H

#include <jansson.h>

#include "sim/sha256.h"
#include "traces/diag.h"

#define SWEEP_FILE 48       /* a file's name and its end */

void sweep_store_name(const char *hash, char name[SWEEP_FILE]);

/* Makes the folder, if it is not there; false if nothing can be written into it. */
bool sweep_store_open(const char *folder, struct diag *d);

/* What is kept of this input, a new reference; NULL: nothing. */
json_t *sweep_store_load(const char *folder, const char *hash);

/* A result, or without one why there is none, as it is kept: a new reference. */
json_t *sweep_store_done(const char *hash, json_t *result);         /* takes the reference */
json_t *sweep_store_failed(const char *hash, const char *message);

bool sweep_store_save(const char *folder, const char *hash, const json_t *kept, struct diag *d);

#endif
