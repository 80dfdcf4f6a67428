/* fuzz_net.c - any bytes as a network: refused with words, or expanded both ways to
 * traces that pass the trace reader. */
#include <assert.h>
#include <stdlib.h>

#include "traces/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand(const char *text, size_t size, bool inference)
{
    struct net_options options = { .inference = inference };
    struct diag d = { .text = "" };
    struct trace *t = net_expand_memory(text, size, &options, &d);
    assert(!t == (d.text[0] != '\0'));
    if (t && t->op_count < 1000) {
        char *written = NULL;
        size_t length;
        FILE *out = open_memstream(&written, &length);
        trace_write(t, out);
        fclose(out);
        struct trace *again = trace_read_memory(written, length, &d);
        assert(again && again->flops == t->flops);
        trace_free(again);
        free(written);
    }
    trace_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    expand((const char *)data, size, false);
    expand((const char *)data, size, true);
    return 0;
}
