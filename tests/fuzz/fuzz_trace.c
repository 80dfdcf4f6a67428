/* fuzz_trace.c - any bytes as a trace: refused with words, or read, summed up and
 * written so that reading it again gives the same bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "traces/summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *written(const struct trace *t, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    trace_write(t, out);
    fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diag d = { .text = "" };
    struct trace *t = trace_read_memory((const char *)data, size, &d);
    assert(!t == (d.text[0] != '\0'));
    if (!t)
        return 0;
    struct trace_summary s = trace_summarize(t);
    assert(s.all.flops == t->flops && s.all.bytes == t->bytes);

    size_t once, twice;
    char *first = written(t, &once);
    struct trace *again = trace_read_memory(first, once, &d);
    assert(again);
    char *second = written(again, &twice);
    assert(once == twice && memcmp(first, second, once) == 0);
    free(first);
    free(second);
    trace_free(again);
    trace_free(t);
    return 0;
}
