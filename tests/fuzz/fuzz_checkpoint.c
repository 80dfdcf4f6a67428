/* fuzz_checkpoint.c - any bytes as a checkpoint, as they are and packed, so that gzip's sum is
 * right: refused with words, or one whose arrays are all found. */
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const char *path)
{
    struct diag d = { .text = "" };
    struct checkpoint *c = checkpoint_read(path, &d);
    assert(!c == (d.text[0] != '\0'));
    for (uint32_t i = 0; c && i < c->array_count; i++)
        assert(checkpoint_find(c, c->arrays[i].name, c->arrays[i].count, &d)
               == c->arrays[i].values);
    checkpoint_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int file = memfd_create("checkpoint", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    assert(file >= 0 && write(file, data, size) == (ssize_t)size);
    read_one(path);
    assert(ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
    gzFile packed = gzdopen(dup(file), "wb1");
    assert(gzwrite(packed, data, (unsigned)size) == (int)size || size == 0);
    assert(gzclose(packed) == Z_OK);
    read_one(path);
    close(file);
    return 0;
}
