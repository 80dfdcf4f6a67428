/* inside.h - what the files of the PTX reader share.
 *
 *     lex.c       text to tokens            symbols.c  names and where they hold
 *     constant.c  constant expressions      declare.c  registers, variables, their values
 *     operand.c   an operand's text         forms.c    the table of instructions
 *     match.c     an opcode against the table
 *     check.c     operands against the form that matched
 *     legal.c     what the table cannot say
 *     call.c      calls                     replace.c  what is written in many ways
 *     body.c      statements of a function
 *     function.c  headings of functions     module.c   the module, its directives
 *     print.c     names; instructions as text
 *
 * A reader stops at its first error: functions return false and the diag has the text.  But
 * after an instruction that is not supported it goes on, and keeps the text with the function.
 */
#ifndef MODELS_GPU_PTX_INSIDE_H
#define MODELS_GPU_PTX_INSIDE_H

#include "models/gpu/ptx/ptx.h"

/* Limits, so that no text, however short, takes more than some hundred megabytes. */
#define REGISTERS     (1u << 20)        /* of a module */
#define INSTRUCTIONS  (1u << 18)        /* of a module */
#define VARIABLES     (1u << 18)        /* of a module, with all parameters */
#define FUNCTIONS     (1u << 16)
#define LABELS        (1u << 20)        /* of a module, with those in .branchtargets */
#define DATA_BYTES    (64u << 20)       /* initial values of a module */
#define VARIABLE_BYTES INT32_MAX        /* of one variable */
#define CONST_BYTES   (64u << 10)       /* of a module: what PTX allows */
#define PARAMS        1024              /* of a function */
#define RETURNS       64                /* of a function */
#define DEPTH         64                /* of braces and of parentheses */
#define SUFFIXES      24                /* of an opcode */

enum token_kind { T_END, T_NAME, T_DIRECTIVE, T_INTEGER, T_FLOAT, T_STRING, T_SIGN };

struct token {
    enum token_kind kind;
    const char *text;       /* of a DIRECTIVE: after the dot */
    uint32_t    length;
    unsigned    line, column;
    uint64_t    bits;       /* of numbers; of a SIGN: its characters, '<' << 8 | '<' */
    enum ptx_type type;     /* S64, U64, F32, F64 */
};

enum symbol_kind { S_REGISTER, S_RANGE, S_PARTS, S_VARIABLE, S_LABEL, S_FUNCTION, S_TARGETS };

struct symbol {
    const char *name;       /* in the text */
    uint32_t length, hash, next, depth;
    enum symbol_kind kind;
    uint32_t number, count; /* count: of a RANGE, of the PARTS of a vector, of TARGETS */
};

struct symbols {
    struct symbol *list;
    uint32_t *buckets;
    uint32_t  count, room, bucket_count;
};

/* A branch whose label has not come yet. */
struct pending { uint32_t instruction; struct token label; };

struct place { unsigned line, column; };

struct reader {
    struct diag *d;
    const char *at, *end, *line_start;
    unsigned     line;
    struct token token;             /* the one not used yet */
    struct ptx_module *m;
    struct ptx_function *f;         /* the one being read; NULL: none */
    uint32_t function;              /* its number */
    struct symbols symbols;
    uint32_t depth;                 /* of braces */
    uint32_t parentheses;
    struct pending *pending;
    uint32_t pending_count, pending_room;
    struct token *targets;          /* of .branchtargets, one list after the other */
    uint32_t target_count, target_room;
    uint32_t register_room, instruction_room, variable_room, label_room;
    uint32_t global_room, function_room;
    uint32_t registers, instructions, variables, labels;        /* of the module */
    uint64_t data_bytes, const_bytes;
    char    *name_at;               /* free part of the module's names */
    uint32_t in_registers[PARAMS], out_registers[RETURNS];   /* of .reg parameters */
    /* the statement being read */
    struct ptx_instruction i;
    struct token opcode, suffix[SUFFIXES];
    uint32_t suffixes;
    struct place places[PTX_OPERANDS];
    char written[160];              /* the opcode as in the text */
    bool is_unsupported;            /* that is what the error is about */
};

/* While a function is read, its parameters have these numbers: how many variables will come
 * before them is not known yet. */
#define PARAM_NUMBER  0x20000000u
#define RETURN_NUMBER 0x30000000u
#define NO_REGISTER   UINT32_MAX

/* lex.c */
void lex_start(struct reader *r, const char *text, size_t size);
bool lex_next(struct reader *r);                /* false: an error */
bool lex_skip_line(struct reader *r);
bool refuse(struct reader *r, const struct token *t, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool refuse_use(struct reader *r, const struct token *t, const char *format, ...)
    __attribute__((format(printf, 3, 4)));      /* not supported: of use, not of the file */
bool is_sign(const struct reader *r, const char *sign);
bool is_word(const struct token *t, const char *word);
bool take_sign(struct reader *r, const char *sign, bool *taken);    /* if it is there */
bool expect_sign(struct reader *r, const char *sign, const char *after);
#define SHOW(t) (int)((t)->length < 60 ? (t)->length : 60), (t)->text       /* for %.*s */

/* symbols.c */
const struct symbol *symbol_find(const struct reader *r, const struct token *name,
                                 uint32_t *index);
bool symbol_add(struct reader *r, const struct token *name, enum symbol_kind kind,
                uint32_t number, uint32_t count);
void symbols_cut(struct reader *r, uint32_t count);     /* forgets all but the first */
void symbols_free(struct symbols *s);
const struct ptx_variable *variable_of(const struct reader *r, uint32_t number);
bool symbol_unknown(struct reader *r, const struct token *name, const char *what);
void keep_short(char *to, size_t size, const struct token *name);
const char *symbol_kind_name(enum symbol_kind kind);

/* constant.c */
struct constant { enum ptx_type type; uint64_t bits; };         /* S64, U64, F32, F64 */
bool constant_read(struct reader *r, struct constant *c);
bool constant_whole(struct reader *r, const char *what, int64_t least, int64_t most,
                    int64_t *value);
bool constant_fits(const struct constant *c, unsigned bytes);
void constant_convert(struct constant *c, enum ptx_type type);

/* declare.c */
bool read_registers(struct reader *r);
bool read_variables(struct reader *r, enum ptx_space space, bool is_extern);
bool read_param(struct reader *r, enum ptx_space space, struct ptx_variable *v,
                struct token *name);
bool count_one(struct reader *r, uint32_t *count, uint32_t most, const char *what);
int  type_of(const struct token *t);            /* -1: none */
bool add_variable(struct reader *r, struct ptx_variable *v, uint32_t *number);
const char *keep_name(struct reader *r, const char *name, uint32_t length);
uint32_t add_registers(struct reader *r, const char *name, uint32_t count, bool indexed,
                       enum ptx_type type);
bool read_initial(struct reader *r, struct ptx_variable *v);    /* initial.c */
uint64_t variable_bytes(const struct ptx_variable *v);

/* operand.c */
bool read_operand(struct reader *r, struct ptx_operand *o);

/* forms.c */
struct form {
    uint16_t op;
    uint8_t  version, target;       /* the least that have it; 0: all */
    const char *suffixes, *operands;
};
extern const struct form ptx_forms[];
extern const uint32_t ptx_form_count;

/* match.c */
bool match_op(struct reader *r);    /* i.op from the opcode; leaves the suffixes after it */
bool match_form(struct reader *r);  /* i.form and all fields that suffixes say */
void form_print(const struct ptx_instruction *i, char *text, size_t size);

/* check.c */
bool check_operands(struct reader *r);
enum ptx_type special_type(uint32_t number);
bool check_one(struct reader *r, struct ptx_operand *o, const struct place *at,
               enum ptx_type type);             /* a source */
bool check_written(struct reader *r, const struct ptx_operand *o, const struct place *at,
                   enum ptx_type type, bool wider);
bool refuse_at(struct reader *r, const struct place *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* legal.c */
bool check_legal(struct reader *r);

/* call.c, body.c, function.c */
bool read_call(struct reader *r);
bool emit_param(struct reader *r, bool load, const struct ptx_operand *value, uint32_t variable,
                enum ptx_type type);            /* ld.param or st.param */
uint32_t first_form(enum ptx_op op);
uint32_t setp_form(bool combined);                      /* setp.eq{.and}.u32 */
bool emit(struct reader *r);        /* r->i is one more instruction of the function */
bool branch_to(struct reader *r, const struct token *label);    /* i is a bra */
bool read_body(struct reader *r);

/* replace.c */
bool read_targets(struct reader *r, const struct token *name);
bool read_jump(struct reader *r);               /* brx.idx */
bool replace(struct reader *r);
bool replace_ignored(struct reader *r);
bool store_returns(struct reader *r);
bool load_params(struct reader *r);
bool skip_past(struct reader *r, const char *sign);
bool read_function(struct reader *r, bool is_entry, bool is_extern);

void functions_free(struct ptx_module *m);
void *grow(void *list, uint32_t count, uint32_t *room, size_t size);

#endif
