/* execute.c - which family computes an instruction; how a family's table is searched. */
#include "models/gpu/execute_inside.h"

const uint8_t gpu_type_bytes[PTX_TYPES_COUNT] = {
#define TYPE(id, name, bytes) [PTX_##id] = bytes,
    PTX_TYPES(TYPE)
#undef TYPE
};

gpu_execute_fn gpu_form_find(const struct gpu_form *forms, size_t count,
                             const struct ptx_instruction *i)
{
    for (size_t f = 0; f < count; f++) {
        const struct gpu_form *form = &forms[f];
        if (form->op == i->op && form->types >> i->type[0] & 1 &&
            (i->modifiers & form->has) == form->has &&
            !(i->modifiers & ~(form->has | form->may)))
            return form->execute;
    }
    return NULL;
}

enum exact_round gpu_rounding(uint8_t ptx_round)
{
    switch (ptx_round) {
    case PTX_RZ: case PTX_RZI: return EXACT_ZERO;
    case PTX_RM: case PTX_RMI: return EXACT_DOWN;
    case PTX_RP: case PTX_RPI: return EXACT_UP;
    case PTX_RNA:              return EXACT_AWAY;
    default:                   return EXACT_NEAREST;
    }
}

/* Floating-point arithmetic goes to a family by its type. */
static bool arithmetic(const struct ptx_instruction *i, struct gpu_op *op)
{
    switch (i->type[0]) {
    case PTX_F32: return gpu_execute_float(i, op);
    case PTX_F64: return gpu_execute_double(i, op);
    case PTX_F16: case PTX_F16X2: case PTX_BF16: case PTX_BF16X2:
        return gpu_execute_half(i, op);
    default:
        return gpu_execute_integer(i, op);
    }
}

/* Nothing to compute: what an SM does about these is their kind. */
static bool nothing(const struct ptx_instruction *i, struct gpu_op *op)
{
    (void)i;
    op->execute = NULL;
    return true;
}

static const gpu_family_fn families[PTX_OPS_COUNT] = {
    [PTX_ADD] = arithmetic, [PTX_SUB] = arithmetic, [PTX_MUL] = arithmetic,
    [PTX_MAD] = arithmetic, [PTX_FMA] = arithmetic, [PTX_DIV] = arithmetic,
    [PTX_ABS] = arithmetic, [PTX_NEG] = arithmetic, [PTX_MIN] = arithmetic,
    [PTX_MAX] = arithmetic, [PTX_RCP] = arithmetic, [PTX_SQRT] = arithmetic,
    [PTX_RSQRT] = arithmetic, [PTX_TESTP] = arithmetic, [PTX_COPYSIGN] = arithmetic,
    [PTX_MUL24] = gpu_execute_integer, [PTX_MAD24] = gpu_execute_integer,
    [PTX_SAD] = gpu_execute_integer, [PTX_REM] = gpu_execute_integer,
    [PTX_ADDC] = gpu_execute_integer, [PTX_SUBC] = gpu_execute_integer,
    [PTX_MADC] = gpu_execute_integer,
    [PTX_POPC] = gpu_execute_bits, [PTX_CLZ] = gpu_execute_bits,
    [PTX_BFIND] = gpu_execute_bits, [PTX_BREV] = gpu_execute_bits,
    [PTX_BFE] = gpu_execute_bits, [PTX_BFI] = gpu_execute_bits,
    [PTX_DP4A] = gpu_execute_bits, [PTX_DP2A] = gpu_execute_bits,
    [PTX_FNS] = gpu_execute_bits, [PTX_SZEXT] = gpu_execute_bits,
    [PTX_BMSK] = gpu_execute_bits, [PTX_PRMT] = gpu_execute_bits,
    [PTX_SIN] = gpu_execute_approx, [PTX_COS] = gpu_execute_approx,
    [PTX_LG2] = gpu_execute_approx, [PTX_EX2] = gpu_execute_approx,
    [PTX_TANH] = gpu_execute_approx,
    [PTX_SET] = gpu_execute_compare, [PTX_SETP] = gpu_execute_compare,
    [PTX_SELP] = gpu_execute_compare, [PTX_SLCT] = gpu_execute_compare,
    [PTX_AND] = gpu_execute_logic, [PTX_OR] = gpu_execute_logic,
    [PTX_XOR] = gpu_execute_logic, [PTX_NOT] = gpu_execute_logic,
    [PTX_CNOT] = gpu_execute_logic, [PTX_LOP3] = gpu_execute_logic,
    [PTX_SHF] = gpu_execute_logic, [PTX_SHL] = gpu_execute_logic,
    [PTX_SHR] = gpu_execute_logic,
    [PTX_MOV] = gpu_execute_move, [PTX_CVTA] = gpu_execute_move,
    [PTX_ISSPACEP] = gpu_execute_move,
    [PTX_CVT] = gpu_execute_convert,
    [PTX_LD] = gpu_execute_memory, [PTX_LDU] = gpu_execute_memory,
    [PTX_ST] = gpu_execute_memory, [PTX_LDMATRIX] = gpu_execute_memory,
    [PTX_CP_ASYNC] = gpu_execute_memory, [PTX_ATOM] = gpu_execute_memory,
    [PTX_RED] = gpu_execute_memory, [PTX_BAR] = gpu_execute_lanes,
    [PTX_SHFL] = gpu_execute_lanes, [PTX_VOTE] = gpu_execute_lanes,
    [PTX_MATCH] = gpu_execute_lanes, [PTX_ACTIVEMASK] = gpu_execute_lanes,
    [PTX_REDUX] = gpu_execute_lanes, [PTX_ELECT] = gpu_execute_lanes,
    [PTX_MOVMATRIX] = gpu_execute_lanes,
    [PTX_MMA] = gpu_execute_tensor, [PTX_WMMA_MMA] = gpu_execute_tensor,
    [PTX_PREFETCH] = nothing, [PTX_PREFETCHU] = nothing, [PTX_CP_COMMIT] = nothing,
    [PTX_CP_WAIT] = nothing, [PTX_CP_WAIT_ALL] = nothing, [PTX_BAR_WARP] = nothing,
    [PTX_MEMBAR] = nothing, [PTX_FENCE] = nothing, [PTX_BRA] = nothing, [PTX_RET] = nothing,
    [PTX_EXIT] = nothing, [PTX_TRAP] = nothing, [PTX_BRKPT] = nothing,
    [PTX_NANOSLEEP] = nothing, [PTX_PMEVENT] = nothing, [PTX_DISCARD] = nothing,
    [PTX_APPLYPRIORITY] = nothing, [PTX_GRIDDEPCONTROL] = nothing
};

bool gpu_execute_find(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->execute = NULL;
    memset(op->mode, 0, sizeof op->mode);
    gpu_family_fn family = families[i->op];
    return family && family(i, op);
}
