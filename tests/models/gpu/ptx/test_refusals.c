/* What the PTX reader refuses, where, and with which words. */
#include "tests/models/gpu/ptx/module.h"

struct refused { const char *text; unsigned line, column; const char *says; };

/* Bodies of the kernel of module.h: their first line is the 10th. */
static const struct refused bodies[] = {
    { "fooo.s32 %r1, %r2, %r3;", 10, 1, "fooo.s32 is not supported" },
    { "ad.s32 %r1, %r2, %r3;", 10, 1, "ad.s32 is not supported; did you mean 'add'?" },
    { "sub.s16x2 %r1, %r2, %r3;", 10, 4, "'.s16x2' cannot stand there; expected .u16" },
    { "add.s31 %r1, %r2, %r3;", 10, 4, "'.s31' cannot stand there; did you mean '.s32'?" },
    { "add.s32.sat %r1, %r2, %r3;", 10, 8, "'.sat' cannot stand there; expected nothing more" },
    { "add %r1, %r2, %r3;", 10, 1, "add is not complete" },
    { "add.rn.s32 %r1, %r2, %r3;", 10, 7, "'.s32' cannot stand there" },
    { "fma.f32 %f1, %f2, %f3, %f4;",
      10, 4, "'.f32' cannot stand there; expected .rn, .rz, .rm, .rp" },
    { "div.f32 %f1, %f2, %f3;", 10, 4, "'.f32' cannot stand there" },
    { "div.approx.f64 %e1, %e2, %e1;", 10, 11, "'.f64' cannot stand there; expected .ftz, .f32" },
    { "add.ftz.f64 %e1, %e2, %e1;",
      10, 8, "'.f64' cannot stand there; expected .sat, .f32, .f16, .f16x2" },
    { "mul.s32 %r1, %r2, %r3;", 10, 4, "'.s32' cannot stand there" },
    { "mad.s32 %r1, %r2, %r3, %r4;", 10, 4, "'.s32' cannot stand there" },
    { "mul.wide.s64 %d1, %d2, %d3;",
      10, 9, "'.s64' cannot stand there; expected .u16, .u32, .s16, .s32" },
    { "sqrt.f32 %f1, %f2;",
      10, 5, "'.f32' cannot stand there; expected .approx, .rn, .rz, .rm, .rp" },
    { "sin.f32 %f1, %f2;", 10, 4, "'.f32' cannot stand there; expected .approx" },
    { "ex2.approx.f64 %e1, %e2;",
      10, 11, "'.f64' cannot stand there; expected .ftz, .f32, .f16, .f16x2" },
    { "tanh.approx.f64 %e1, %e2;",
      10, 12, "'.f64' cannot stand there; expected .f32, .f16, .f16x2, .bf16, .bf16x2" },
    { "fma.rn.sat.f64 %e1, %e1, %e1, %e1;",
      10, 11, "'.f64' cannot stand there; expected .f32, .f16, .f16x2" },
    { "min.relu.u32 %r1, %r2, %r3;", 10, 9, "'.u32' cannot stand there; expected .s32" },
    { "shl.s32 %r1, %r2, 3;", 10, 4, "'.s32' cannot stand there; expected .b16, .b32, .b64" },
    { "shf.l.b32 %r1, %r2, %r3, 4;", 10, 6, "'.b32' cannot stand there; expected .clamp, .wrap" },
    { "setp.f32 %p1, %f1, %f2;", 10, 5, "'.f32' cannot stand there" },
    { "setp.lo.s32 %p1, %r1, %r2;",
      10, 8, "'.s32' cannot stand there; expected .u16, .u32, .u64, .and, .or, .xor" },
    { "setp.ltu.s32 %p1, %r1, %r2;", 10, 9, "'.s32' cannot stand there" },
    { "setp.lt.b32 %p1, %r1, %r2;", 10, 8, "'.b32' cannot stand there" },
    { "setp.eq.s32 %r3, %r1, %r2;", 10, 13, "%r3 is a .b32 register; expected a .pred" },
    { "setp.eq.and.s32 %p1, %r1, %r2;", 10, 1, "3 operands; expected 4" },
    { "setp.eq.s32 %p1, %r1, %r2, %p2;", 10, 1, "4 operands; expected 3" },
    { "setp.eq.f16x2 %p1, %r1, %r2;",
      10, 15, "a register stands where it cannot; expected two predicates, p|q" },
    { "selp.b32 %r1, %r2, %r3, !%p1;",
      10, 25, "a negated register stands where it cannot; expected a predicate" },
    { "selp.b32 %r1, %r2, %r3, %r4;", 10, 25, "%r4 is a .b32 register; expected a .pred" },
    { "and.s32 %r1, %r2, %r3;",
      10, 4, "'.s32' cannot stand there; expected .pred, .b16, .b32, .b64" },
    { "and.f32 %f1, %f2, %f3;",
      10, 4, "'.f32' cannot stand there; expected .pred, .b16, .b32, .b64" },
    { "and.b32 %r1, %r2, 1.0;",
      10, 19, "a floating-point number stands for a .b32; expected a whole one" },
    { "lop3.b32 %r1, %r2, %r3, %r4, 256;", 10, 30, "256 is out of range; expected 0 to 255" },
    { "lop3.b32 %r1, %r2, %r3, %r4, %r5;",
      10, 30, "a register stands where it cannot; expected a number" },
    { "cvt.f32.s32 %f1, %r1;",
      10, 1, "a whole number becomes a floating-point one; expected .rn, .rz, .rm or" },
    { "cvt.s32.f32 %r1, %f1;",
      10, 1, "a floating-point number becomes a whole one; expected .rni, .rzi, .rmi" },
    { "cvt.rn.s32.f32 %r1, %f1;",
      10, 1, "a floating-point number becomes a whole one; expected .rni, .rzi, .rmi" },
    { "cvt.f32.f64 %f1, %e1;", 10, 1, "the result is narrower; expected .rn, .rz, .rm or .rp" },
    { "cvt.rn.f64.f32 %e1, %f1;", 10, 1, "the result is not narrower; expected no rounding" },
    { "cvt.rn.s32.s64 %r1, %d1;", 10, 1, "both are whole numbers; expected no rounding" },
    { "cvt.ftz.f64.s32 %e1, %r1;",
      10, 1, "a whole number becomes a floating-point one; expected .rn, .rz, .rm or" },
    { "cvt.rni.f32.s32 %f1, %r1;",
      10, 1, "a whole number becomes a floating-point one; expected .rn, .rz, .rm or" },
    { "cvt.bf16.f32 %h1, %f1;", 10, 4, "'.bf16' cannot stand there" },
    { "cvt.rn.tf32.f64 %r1, %e1;", 10, 12, "'.f64' cannot stand there; expected .f32" },
    { "add.s32 %r1, %r2;", 10, 1, "2 operands; expected 3" },
    { "add.s32 %r1, %r2, %r3, %r4;", 10, 1, "4 operands; expected 3" },
    { "add.s32 %r1, %r2, %r3, %r4, %r5, %r6, %r7;",
      10, 39, "more than 6 operands; expected fewer" },
    { "add.s32 %d1, %r2, %r3;", 10, 9, "%d1 is a .b64 register; expected a .s32" },
    { "add.s32 %r1, %f2, %r3;", 10, 14, "%f2 is a .f32 register; expected a .s32" },
    { "add.f32 %f1, %u1, %f2;", 10, 14, "%u1 is a .u32 register; expected a .f32" },
    { "add.f32 %f1, %f2, 1;",
      10, 19, "a whole number stands for a .f32; expected a floating-point one" },
    { "add.s32 %r1, %r2, 1.5;",
      10, 19, "a floating-point number stands for a .s32; expected a whole one" },
    { "add.s32 %r1, %r2, 4294967296;",
      10, 19, "4294967296 is out of range; expected what fits in .s32" },
    { "add.s32 %r1, %r2, -2147483649;",
      10, 19, "-2147483649 is out of range; expected what fits in .s32" },
    { "add.s16 %h1, %h2, 65536;", 10, 19, "65536 is out of range; expected what fits in .s16" },
    { "add.u64 %d1, %d2, 18446744073709551616;",
      10, 19, "18446744073709551616 does not fit in 64 bits" },
    { "add.f64 %e1, %f1, %e2;", 10, 14, "%f1 is a .f32 register; expected a .f64" },
    { "add.f16 %g1, %g2, 1.0;", 10, 19, "a number stands for a .f16; expected a register" },
    { "add.s32 1, %r1, %r2;",
      10, 9, "a number stands where it cannot; expected a register to write" },
    { "add.s32 %r1, [%r2], %r3;",
      10, 14, "an address in brackets stands where it cannot; expected a register or a" },
    { "add.s32 %r1, {%r2, %r3}, %r3;",
      10, 14, "a vector in braces stands where it cannot; expected a register or a" },
    { "add.s32 %r1, %r9, %r3;", 10, 14, "%r9 is not declared; the last is %r8" },
    { "add.s32 %r1, %x, %r3;",
      10, 14, "%x is not declared; expected a register, a variable or a number" },
    { "add.s32 %r1, g, %r3;",
      10, 14, "a variable stands where it cannot; expected a register or a number" },
    { "add.s32 %r1, f, %r3;",
      10, 14, "a function's address is not supported; expected a register" },
    { "add.s32 %r1, %r2, !%p1;",
      10, 19, "a negated register stands where it cannot; expected a register or a" },
    { "add.s32 %r1, !%p2, 3;",
      10, 14, "a negated register stands where it cannot; expected a register or a" },
    { "add.s32 %tid.x, %r2, 3;",
      10, 9, "a special register stands where it cannot; expected a register to write" },
    { "add.s32 %r1, %r02, 3;",
      10, 14, "%r02 is not declared; expected a register, a variable or a number" },
    { "add.s32 %r1, %r2 %r3;", 10, 18, "'%r3' after an instruction; expected ';'" },
    { "add.s32 %r1, %r2, %r3", 11, 1, "'}' after an instruction; expected ';'" },
    { "add.s32 %r1, %r2, ;",
      10, 19, "';' is no operand; expected a register, a number, an address" },
    { "add.s32 , %r2;", 10, 9, "',' is no operand; expected a register, a number, an address" },
    { "add.s32 %r1, %r2, %r3,;",
      10, 23, "';' is no operand; expected a register, a number, an address" },
    { "mov.u32 %r1, %tid.w;", 10, 14, "%tid.w is not declared; did you mean '%tid.x'?" },
    { "mov.u16 %h1, %clock;", 10, 14, "the special register has .u32; expected a type of that" },
    { "mov.u64 %d1, %tid.x;", 10, 14, "the special register has .u32; expected a type of that" },
    { "mov.u32 %r1, %tidd.x;", 10, 14, "%tidd.x is not declared; did you mean '%tid.x'?" },
    { "mov.u32 %r1, 0x;", 10, 14, "'0x' is no number; ';' does not belong to it" },
    { "mov.u32 %r1, 0b12;", 10, 14, "'0b1' is no number; '2' does not belong to it" },
    { "mov.u32 %r1, 09;", 10, 14, "'0' is no number; '9' does not belong to it" },
    { "mov.u32 %r1, 12ab;", 10, 14, "'12' is no number; 'a' does not belong to it" },
    { "mov.f32 %f1, 0f3F80000;",
      10, 14, "a float of bits is cut short or too long; expected 8 hexadecimal digits" },
    { "mov.f32 %f1, 0f3F8000000;",
      10, 14, "a float of bits is cut short or too long; expected 8 hexadecimal digits" },
    { "mov.f32 %f1, 1.5e;", 10, 14, "'1.5' is no number; 'e' does not belong to it" },
    { "mov.u32 %r1, (1;", 10, 16, "';' after an expression; expected ')'" },
    { "mov.u32 %r1, 1/0;", 10, 15, "division by zero; expected another number" },
    { "mov.u32 %r1, 1.0+2.0;",
      10, 17, "'+' of floating-point numbers is not supported; expected a single number" },
    { "mov.u32 %r1, ~1.0;", 10, 14, "'~' of a floating-point number; expected '-'" },
    { "mov.b64 {%r1, %r2, %r3}, %d1;",
      10, 9, "3 parts of a .b64; expected 2 or 4 of .b32 or .b64, 2 of .b16" },
    { "mov.b64 {%h1, %h2}, %d1;", 10, 9, "%h1 is a .b16 register; expected a .b32" },
    { "mov.f32 {%h1, %h2}, %f1;",
      10, 9, "2 parts of a .f32; expected 2 or 4 of .b32 or .b64, 2 of .b16" },
    { "mov.b64 {%r1, %r2}, {%r3, %r4};", 10, 21, "vectors on both sides; expected one of them" },
    { "mov.u32 %r1, f;", 10, 14, "a function's address is not supported; expected a register" },
    { "mov.u32 %r1, L; L:", 10, 14, "L is not declared; did you mean 'l'?" },
    { "ld.global.f32 %f1, %d1;",
      10, 20, "a register stands where it cannot; expected an address in brackets" },
    { "ld.global.f32 %f1, [%f1];",
      10, 20, "a .f32 register is no address; expected .b64 or .b32" },
    { "ld.global.f32 %f1, [%h1];",
      10, 20, "a .b16 register is no address; expected .b64 or .b32" },
    { "ld.global.f32 %f1, [s];",
      10, 20, "s is in .shared, not in .global; expected a variable of that space" },
    { "ld.shared.f32 %f1, [g];",
      10, 20, "g is in .global, not in .shared; expected a variable of that space" },
    { "ld.f32 %f1, [s];", 10, 13, "s is in .shared; expected that space in the instruction" },
    { "ld.global.f32 %e1, [%d1];", 10, 15, "%e1 is a .f64 register; expected a .f32 or wider" },
    { "ld.global.f32 %u1, [%d1];", 10, 15, "%u1 is a .u32 register; expected a .f32 or wider" },
    { "ld.global.u32 %f1, [%d1];", 10, 15, "%f1 is a .f32 register; expected a .u32 or wider" },
    { "ld.global.b64 %r1, [%d1];", 10, 15, "%r1 is a .b32 register; expected a .b64 or wider" },
    { "ld.global.v2.f32 %f1, [%d1];",
      10, 18, "a register stands where it cannot; expected a vector in braces" },
    { "ld.global.v4.f32 {%f1, %f2}, [%d1];", 10, 18, "2 registers in braces; expected 4" },
    { "ld.global.v4.f64 {%e1, %e2, %e1, %e2}, [%d1];",
      10, 1, "32 bytes at once; expected at most 16" },
    { "ld.global.v3.f32 {%f1, %f2, %f3}, [%d1];", 10, 10, "'.v3' cannot stand there" },
    { "ld.global.f16 %h1, [%d1];", 10, 10, "'.f16' cannot stand there" },
    { "ld.globl.f32 %f1, [%d1];", 10, 3, "'.globl' cannot stand there; did you mean '.global'?" },
    { "ld.f32.global %f1, [%d1];", 10, 7, "'.global' cannot stand there; expected nothing more" },
    { "ld.relaxed.global.u32 %r1, [%d1];",
      10, 11, "'.global' cannot stand there; expected .cta, .cluster, .gpu, .sys" },
    { "ld.acquire.gpu.const.u32 %r1, [%d1];", 10, 15, "'.const' cannot stand there" },
    { "ld.shared.nc.f32 %f1, [%r1];", 10, 10, "'.nc' cannot stand there" },
    { "ld.global.f32 %f1, [%d1+%r1];", 10, 25, "'%r1' is no number; expected one" },
    { "ld.global.f32 %f1, [%d1+4294967296];",
      10, 25, "an offset: 4294967296 is out of range; expected -2147483648 to" },
    { "ld.global.f32 %f1, [%d1;", 10, 24, "';' in an address; expected ']'" },
    { "ld.global.f32 %f1, [%p1];",
      10, 20, "a .pred register is no address; expected .b64 or .b32" },
    { "ld.global.f32 [%d1], %f1;",
      10, 15, "an address in brackets stands where it cannot; expected a register to" },
    { "st.const.u32 [c], 1;", 10, 3, "'.const' cannot stand there" },
    { "st.global.f32 %f1, [%d1];",
      10, 15, "a register stands where it cannot; expected an address in brackets" },
    { "st.param.u64 [a], %d1;", 10, 14, "parameter a is only read; expected one of a call" },
    { "st.global.v2.f32 [%d1], {%f1, _};", 10, 25, "'_' in braces; expected a register" },
    { "st.global.u32 [%d1], %f1;", 10, 22, "%f1 is a .f32 register; expected a .u32 or wider" },
    { "st.release.cta.u32 [%d1], %e1;",
      10, 27, "%e1 is a .f64 register; expected a .u32 or wider" },
    { "st.global.f32 [%d1], 1;",
      10, 22, "a whole number stands for a .f32; expected a floating-point one" },
    { "prefetch.shared.L1 [%r1];",
      10, 9, "'.shared' cannot stand there; expected .global, .local, .L1, .L2" },
    { "discard.global.L2 [%d1], 64;", 10, 26, "64 is out of range; expected 128" },
    { "cvta.global.u32 %r1, %r2;", 10, 12, "'.u32' cannot stand there; expected .u64" },
    { "cvta.shared.u64 %d1, g;", 10, 22, "g is not in that space; expected a variable that is" },
    { "cvta.to.global.u64 %d1, g;",
      10, 25, "g is not in that space; expected a variable that is" },
    { "isspacep.global %r1, %d1;", 10, 17, "%r1 is a .b32 register; expected a .pred" },
    { "ldmatrix.sync.aligned.m8n8.x3.shared.b16 {%r1, %r2, %r3}, [%r5];",
      10, 27, "'.x3' cannot stand there; expected .x1, .x2, .x4" },
    { "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r1, %r2}, [%r5];",
      10, 42, "2 registers in braces; expected 4" },
    { "ldmatrix.aligned.m8n8.x4.shared.b16 {%r1, %r2, %r3, %r4}, [%r5];",
      10, 9, "'.aligned' cannot stand there; expected .sync" },
    { "cp.async.ca.shared.global [%r1], [%d1], 12;", 10, 41, "12 bytes; expected 4, 8 or 16" },
    { "cp.async.cg.shared.global [%r1], [%d1], 8;", 10, 41, "8 is out of range; expected 16" },
    { "cp.async.cg.shared.global [%r1], [%d1], 16, 17;",
      10, 45, "17 bytes of 16; expected no more than these" },
    { "cp.async.cg.global.shared [%d1], [%r1], 16;",
      10, 12, "'.global' cannot stand there; expected .shared" },
    { "cp.async.ca.shared.global [%r1], [%d1], %r2;",
      10, 41, "a register stands where it cannot; expected a number" },
    { "cp.async.ca.shared.global [g], [%d1], 4;",
      10, 27, "g is in .global, not in .shared; expected a variable of that space" },
    { "cp.async.bulk.shared.global [%r1], [%d1], 16;",
      10, 9, "'.bulk' cannot stand there; expected .ca, .cg" },
    { "cp.async.wait_group %r1;",
      10, 21, "a register stands where it cannot; expected a number" },
    { "cp.async.wait_group;", 10, 1, "0 operands; expected 1" },
    { "cp.async.mbarrier.arrive.b64 [%r1];",
      10, 9, "'.mbarrier' cannot stand there; expected .ca, .cg" },
    { "bar.sync;", 10, 1, "0 operands; expected 1 to 2" },
    { "bar.sync 16;", 10, 10, "16 is out of range; expected 0 to 15" },
    { "bar.sync 0, 33;", 10, 13, "33 threads; expected a multiple of 32" },
    { "bar.sync 0, 48;", 10, 13, "48 threads; expected a multiple of 32" },
    { "bar.arrive 0;", 10, 1, "1 operand; expected 2" },
    { "bar.red.popc.u32 %r1, 0, %r2;", 10, 26, "%r2 is a .b32 register; expected a .pred" },
    { "bar.red.xor.pred %p1, 0, %p2;",
      10, 8, "'.xor' cannot stand there; expected .popc, .and, .or" },
    { "membar;", 10, 1, "membar is not complete; expected .cta, .gl, .sys after it" },
    { "fence.sc;",
      10, 1, "fence.sc is not complete; expected .cta, .cluster, .gpu, .sys after it" },
    { "bra L;", 10, 5, "there is no label L here; expected one of this function" },
    { "bra;", 10, 1, "0 operands; expected 1" },
    { "bra %r1;", 10, 5, "%r1 is a register; expected a label of this function" },
    { "bra g;", 10, 5, "g is a variable; expected a label of this function" },
    { "bra.uni L, L;", 10, 10, "',' after an instruction; expected ';'" },
    { "LL: bra LK;", 10, 9, "there is no label LK here; did you mean 'LL'?" },
    { "L: L: ret;", 10, 4, "L is defined twice; expected a new name" },
    { "{ L: } bra L;",
      10, 12, "label L is in other braces; expected one of these or of those around" },
    { "call f, (pa, pb);", 10, 1, "0 results; expected 1, as f has" },
    { "call (pr), f, (pa);", 10, 1, "1 argument; expected 2, as f has" },
    { "call (pr), f, (pb, pa);",
      10, 16, "pb has 8 bytes aligned to 8; expected 4 aligned to 4, as fa has" },
    { "call (pr), g, (pa, pb);", 10, 12, "g is a variable; expected a function" },
    { "call (pr), ff, (pa, pb);", 10, 12, "ff is not declared; did you mean 'f'?" },
    { "call (pr), k, (pa, pb);", 10, 12, "k is an entry; expected a .func" },
    { "call (pr), %d1, (pa, pb);",
      10, 12, "call is not supported through a register; expected a function" },
    { "call (s), f, (pa, pb);", 10, 7, "s is not in .param; expected a variable that is" },
    { "call (pr), f, (%d1, pb);", 10, 16, "%d1 is a .b64 register; expected a .b32" },
    { "call (%f1, pr), f, (pa, pb);", 10, 1, "2 results; expected 1, as f has" },
    { "call (pr), f, (pa, pb;", 10, 22, "';' in a list of arguments; expected ')'" },
    { "call (pr) f, (pa, pb);", 10, 11, "'f' after results; expected ','" },
    { "call.unii (pr), f, (pa, pb);",
      10, 5, "'.unii' cannot stand there; expected .uni or nothing more" },
    { "brx.idx %r1, T;",
      10, 14, "'T' is no list of labels; expected one that .branchtargets has made" },
    { "T: .branchtargets L, M; L: brx.idx %r1, T;",
      10, 22, "there is no label M here; did you mean 'L'?" },
    { "@%r1 bra L; L:", 10, 2, "%r1 is a register of another type; expected a predicate" },
    { "@%p9 bra L; L:", 10, 2, "%p9 is not declared; the last is %p3" },
    { "@!!%p1 ret;", 10, 3, "'!' guards an instruction; expected a predicate" },
    { "@%p1;", 10, 5, "';' begins no statement; expected an instruction" },
    { "@ ret;", 10, 3, "ret is not declared; expected a predicate" },
    { "shfl.bfly.b32 %r1, %r2, 1, 31;",
      10, 1, "without .sync it ends with sm_60, and the module is for sm_90; expected" },
    { "shfl.sync.bfly.b32 %r1, %r2, 1, 31;", 10, 1, "4 operands; expected 5" },
    { "shfl.sync.bfly.u32 %r1, %r2, 1, 31, -1;",
      10, 15, "'.u32' cannot stand there; expected .b32" },
    { "shfl.sync.bfly.b32 %r1|%r2, %r2, 1, 31, -1;",
      10, 20, "%r2 is a .b32 register; expected a .pred" },
    { "vote.sync.ballot.b32 %p1, %p2, -1;", 10, 22, "%p1 is a .pred register; expected a .b32" },
    { "vote.sync.all.pred %p1, %r2, -1;", 10, 25, "%r2 is a .b32 register; expected a .pred" },
    { "match.any.sync.b32 %r1|%p1, %r2, -1;",
      10, 20, "a pair stands where it cannot; expected a register to write" },
    { "redux.sync.add.b32 %r1, %r2, -1;",
      10, 15, "'.b32' cannot stand there; expected .u32, .s32" },
    { "redux.sync.and.s32 %r1, %r2, -1;", 10, 15, "'.s32' cannot stand there; expected .b32" },
    { "atom.global.add.s64 %d1, [%d2], %d3;",
      10, 16, "'.s64' cannot stand there; expected .u32, .s32, .u64, .f32, .f64, .noftz" },
    { "atom.global.add.b32 %r1, [%d2], %r3;",
      10, 16, "'.b32' cannot stand there; expected .u32, .s32, .u64, .f32, .f64, .noftz" },
    { "atom.add.noftz.f32 %f1, [%d2], %f3;",
      10, 15, "'.f32' cannot stand there; expected .f16, .f16x2, .bf16, .bf16x2" },
    { "atom.add.f16 %h1, [%d2], %h3;",
      10, 9, "'.f16' cannot stand there; expected .u32, .s32, .u64, .f32, .f64, .noftz" },
    { "atom.global.sub.u32 %r1, [%d2], %r3;", 10, 12, "'.sub' cannot stand there" },
    { "atom.global.cas.b32 %r1, [%d2], %r3;", 10, 1, "3 operands; expected 4" },
    { "atom.global.exch.u32 %r1, [%d2], %r3;",
      10, 17, "'.u32' cannot stand there; expected .b32, .b64" },
    { "atom.local.add.u32 %r1, [%d2], %r3;", 10, 5, "'.local' cannot stand there" },
    { "atom.global.add.u32 [%d2], %r3;", 10, 1, "2 operands; expected 3" },
    { "red.global.add.v2.f32 [%d1], {%f1, %f2};",
      10, 15, "'.v2' cannot stand there; expected .u32, .s32, .u64, .f32, .f64, .noftz" },
    { "red.global.exch.b32 [%d1], %r1;", 10, 11, "'.exch' cannot stand there" },
    { "mma.sync.aligned.m16n8k16.row.row.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, "
      "%r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};",
      10, 30, "'.row' cannot stand there; expected .col" },
    { "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, "
      "%r2, %r3}, {%r5, %r6}, {%f1, %f2, %f3, %f4};",
      10, 75, "3 registers in braces; expected 4" },
    { "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, "
      "%r2, %r3, %d4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};",
      10, 75, "%d4 is a .b64 register; expected a .b32" },
    { "mma.sync.aligned.m16n8k16.row.col.f32.f16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2, "
      "%r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};",
      10, 42, "'.bf16' cannot stand there; expected .f16" },
    { "mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32 {%r1, %r2, %r3, %r4}, {%r1, %r2, "
      "%r3, %r4}, {%r5, %r6}, {%r1, %r2, %r3, %r4};",
      10, 17, "'.m16n8k64' cannot stand there; expected .m16n8k8, .m16n8k16, .m16n8k4, .m16n8k32" },
    { "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 %f1, %f2, %f3, %f4;",
      10, 53, "a register stands where it cannot; expected a vector in braces" },
    { "wmma.load.a.sync.aligned.row.m8n8k4.f64 {%r1}, [%d1], 16;",
      10, 29, "'.m8n8k4' cannot stand there; expected .m16n16k16, .m32n8k16, .m8n32k16, "
              ".m16n16k8" },
    { "wmma.load.d.sync.aligned.row.m16n16k16.f16 {%r1}, [%d1], 16;",
      10, 10, "'.d' cannot stand there; expected .a, .b, .c" },
    { "wmma.load.a.sync.aligned.row.m16n16k16.f16 {%r1, %r2}, [%d1], 16;",
      10, 44, "2 registers in braces; expected 8" },
    { "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1}, %d1, %d2, 1, 1, 1, 0, 0;",
      10, 1, "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 is not supported" },
    { "mbarrier.init.shared.b64 [%r1], 1;", 10, 1, "mbarrier.init.shared.b64 is not supported" },
    { "tex.2d.v4.f32.f32 {%f1, %f2, %f3, %f4}, [g, {%f1, %f2}];",
      10, 1, "tex.2d.v4.f32.f32 is not supported" },
    { "mapa.u64 %d1, %d2, %r1;", 10, 1, "mapa.u64 is not supported" },
    { "stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r1], {%r2};",
      10, 1, "stmatrix.sync.aligned.m8n8.x1.shared.b16 is not supported" },
    { "setmaxnreg.inc.sync.aligned.u32 40;",
      10, 1, "setmaxnreg.inc.sync.aligned.u32 is not supported" },
    { "nanosleep.u32;", 10, 1, "0 operands; expected 1" },
    { "pmevent 16;", 10, 9, "16 is out of range; expected 0 to 15" },
    { "elect.sync %p1, -1;",
      10, 12, "a register stands where it cannot; expected a register and a predicate" },
    { ".reg .b32 %r<4>;", 10, 11, "%r is defined twice; expected a new name" },
    { ".reg .b32 %r1;", 10, 11, "%r1 is defined twice; expected a new name" },
    { ".reg .b32 x, x;", 10, 14, "x is defined twice; expected a new name" },
    { ".reg .b32 y<0>;", 10, 13, "'0' is no number of registers; expected one from 1" },
    { ".reg .b32 y<4000000000>;",
      10, 11, "more than 1048576 registers in a module; expected fewer" },
    { ".reg .b32 y<11>, y1<2>;", 10, 18, "y1 is defined twice" },
    { ".reg .b32 y1<2>, y<11>;", 10, 18, "y is defined twice" },
    { ".reg .b32 y10, y<11>;", 10, 16, "y is defined twice" },
    { ".reg .b32 y<11>, y10;", 10, 18, "y10 is defined twice" },
    { ".reg .b33 y;",
      10, 6, "'b33' is no type of registers; expected .pred, .b32, .f32 or another" },
    { ".reg .bf16 y;", 10, 6, "registers have no type .bf16; expected .b16 or .b32" },
    { ".reg y;", 10, 6, "'y' is no type of registers; expected .pred, .b32, .f32 or another" },
    { ".reg .b32 y", 11, 1, "'}' after names of registers; expected ';'" },
    { ".reg .b32 ;", 10, 11, "';' is no name; expected one of a register" },
    { ".reg .b32 3;", 10, 11, "'3' is no name; expected one of a register" },
    { ".reg .v2 .b32 v; mov.u32 %r1, v.z;",
      10, 32, "'.z' is no part of the vector; expected .x or .y" },
    { ".local .b8 big[2147483648];",
      10, 16, "the size of an array: 2147483648 is out of range; expected 1 to" },
    { ".local .b8 big[1000000][1000000][1000000];",
      10, 24, "an array of 2^31 bytes or more; expected fewer" },
    { ".local .b8 big[];", 10, 12, "big has no size; expected one, or initial values" },
    { ".local .b8 big = 3;",
      10, 16, "big cannot have initial values; only .global and .const can" },
    { ".local .b8 big[0];",
      10, 16, "the size of an array: 0 is out of range; expected 1 to 2147483647" },
    { ".local .b8 big[-1];",
      10, 16, "the size of an array: -1 is out of range; expected 1 to 2147483647" },
    { ".local .align 3 .b8 big[4];",
      10, 15, ".align: 3 is no power of two; expected 1, 2, 4, 8 ..." },
    { ".local .pred x;",
      10, 8, "'.pred' cannot stand before a variable's name; expected .align, a type" },
    { ".local x;", 10, 8, "'x' stands where a type is expected; expected .b8, .f32 or another" },
    { ".global .b8 x;",
      10, 1, ".global is not supported in a function; expected .reg, .local, .shared" },
    { ".shard .b8 x;",
      10, 1, ".shard is not supported in a function; expected .reg, .local, .shared" },
    { ".callprototype",
      10, 1, ".callprototype is not supported; expected calls of functions by name" },
    { "foo", 10, 1, "foo is not supported" },
    { "3;", 10, 1, "'3' begins no statement; expected an instruction" },
    { "[%r1];", 10, 1, "'[' begins no statement; expected an instruction" },
    { "{ add.s32 %r1, %r2, 3;", 12, 1, "the text ends in a function; expected '}'" },
};

/* Whole modules; HEAD is 3 lines. */
static const struct refused modules[] = {
    { "", 1, 1, "the file is empty; expected .version" },
    { " ", 1, 2, "the file is empty; expected .version" },
    { "// only", 1, 8, "the file is empty; expected .version" },
    { "/* never", 1, 1, "a comment has no end; expected '*/'" },
    { ".target sm_80",
      1, 1, "the module does not begin with .version; expected .version 7.0 or" },
    { ".version", 1, 9, "the version is not known; expected 1.0 to 9.9" },
    { ".version 7", 1, 10, "the version is not known; expected 1.0 to 9.9" },
    { ".version 7.", 1, 10, "the version is not known; expected 1.0 to 9.9" },
    { ".version 7.55\n.target sm_80", 1, 10, "the version is not known; expected 1.0 to 9.9" },
    { ".version 0.1", 1, 10, "the version is not known; expected 1.0 to 9.9" },
    { ".version 7.0 .target x",
      1, 22, "'x' is no target; expected sm_70, sm_80, sm_90 or another" },
    { ".version 7.0\n.taget sm_80",
      2, 1, ".version is not followed by .target; expected .target sm_80 or another" },
    { ".version 7.0 .target compute_80",
      1, 22, "'compute_80' is no target; expected sm_70, sm_80, sm_90 or another" },
    { ".version 7.0 .target sm_",
      1, 22, "'sm_' is no target; expected sm_70, sm_80, sm_90 or another" },
    { ".version 7.0 .target sm_80,",
      1, 28, "'the end' is no target; expected sm_70, sm_80, sm_90 or another" },
    { ".version 7.0 .target debug", 1, 22, "no chip in .target; expected sm_80 or another" },
    { ".version 7.0\n.target sm_80 .address_size 32",
      2, 29, "addresses of 32 bits are not supported; expected 64" },
    { ".version 7.0\n.target sm_80 .address_size", 2, 28, "the text ends; expected a number" },
    { HEAD ".entri k() {}", 4, 1, ".entri is not supported here; did you mean '.entry'?" },
    { HEAD "entry k() {}",
      4, 1, "'entry' stands outside of a function; expected .entry, .func or a" },
    { HEAD ".visible entry k() {}",
      4, 10, "'entry' after .visible; expected .entry, .func or a space of variables" },
    { HEAD ".entry () {}", 4, 9, "an entry has no result; expected a name" },
    { HEAD ".entry k( {}", 4, 11, "'{' begins no parameter; expected .param" },
    { HEAD ".entry k(.param) {}",
      4, 16, "')' stands where a type is expected; expected .b8, .f32 or another" },
    { HEAD ".entry k(.param .b32) {}", 4, 21, "')' is no name; expected one of a variable" },
    { HEAD ".entry k(.param .b32 x .param .b32 y) {}",
      4, 24, "'.param' after a parameter; expected ')'" },
    { HEAD ".entry k(.param .b32 x, .param .b32 x) {}",
      4, 37, "x is defined twice; expected a new name" },
    { HEAD ".entry k(.reg .b32 x) {}", 4, 10, "'reg' begins no parameter; expected .param" },
    { HEAD ".entry k(.param .b32 x[]) {}", 4, 22, "parameter x has no size; expected one" },
    { HEAD ".entry (.param .b32 x) k() {}", 4, 9, "an entry has no result; expected a name" },
    { HEAD ".entry k() .maxntid {}", 4, 21, "'{' is no number; expected one" },
    { HEAD ".entry k() .maxntid 0 {}",
      4, 21, ".maxntid: 0 is out of range; expected 1 to 2147483647" },
    { HEAD ".entry k() .maxntid 65536,65536 {}",
      4, 21, ".maxntid: more than 2^31 threads; expected fewer" },
    { HEAD ".entry k() .maxntid 32 .reqntid 32 {}", 4, 24, ".reqntid after another limit" },
    { HEAD ".entry k() .maxtid 3 {}",
      4, 12, ".maxtid is not supported before a body; expected .maxntid, .reqntid" },
    { HEAD ".func k() .maxntid 3 {}",
      4, 11, ".maxntid is not supported before a body; expected .maxntid, .reqntid" },
    { HEAD ".entry k()", 4, 11, "the text ends after a function's parameters; expected '{'" },
    { HEAD ".entry k() {", 4, 13, "the text ends in a function; expected '}'" },
    { HEAD ".entry k() { ret; ", 4, 19, "the text ends in a function; expected '}'" },
    { HEAD ".entry k() { ret; } }",
      4, 21, "'}' stands outside of a function; expected .entry, .func or a variable" },
    { HEAD ".entry k() {} .entry k() {}",
      4, 22, "k has a body already, in line 4; expected a new name" },
    { HEAD ".func f(.param .b32 x); .func f(.param .b64 x) {}",
      4, 31, "f has other parameters than in line 4; expected the same" },
    { HEAD ".func f(.param .b32 x); .entry f(.param .b32 x) {}",
      4, 32, "f has other parameters than in line 4; expected the same" },
    { HEAD ".func f(.param .b32 x); .func f(.param .b32 x, .param .b32 y) {}",
      4, 31, "f has other parameters than in line 4" },
    { HEAD "/* a\n b */ // c\n .foo", 6, 2, ".foo is not supported here" },
    { HEAD ".global .b32 f; .func f() {}",
      4, 23, "f is a variable already; expected a new name" },
    { HEAD ".global .b32 f, f;", 4, 17, "f is defined twice; expected a new name" },
    { HEAD ".entry k() { bra L; } .entry j() { L: ret; }",
      4, 18, "there is no label L here; expected one of this function" },
    { HEAD ".entry j() { L: ret; } .entry k() { bra L; }",
      4, 41, "there is no label L here; expected one of this function" },
    { HEAD ".global .b32 x = 1.5;",
      4, 18, "1.5 is a floating-point number; expected a whole one for .b32" },
    { HEAD ".global .f32 x = 1;",
      4, 18, "1 is a whole number; expected a floating-point one for .f32" },
    { HEAD ".global .b8 x = 256;", 4, 17, "256 is out of range; expected what fits in .b8" },
    { HEAD ".global .b8 x[2] = {1,2,3};", 4, 25, "more values than the 2 of x; expected fewer" },
    { HEAD ".global .b8 x[2] = 3;", 4, 20, "'3' is no list of values; expected '{'" },
    { HEAD ".global .b8 x[] ;", 4, 13, "x has no size; expected one, or initial values" },
    { HEAD ".global .b8 x[] = {};", 4, 19, "x has no size and no values; expected either" },
    { HEAD ".global .b32 y; .global .b32 x = y;",
      4, 34, "an address in .b32; expected .u64 or .b64" },
    { HEAD ".global .b64 x = y;", 4, 18, "y is not declared; expected a variable or a number" },
    { HEAD ".func f(); .global .b64 x = f;",
      4, 29, "the address of a function is not supported; expected a variable's" },
    { HEAD ".shared .b32 x = 3;",
      4, 16, "x cannot have initial values; only .global and .const can" },
    { HEAD ".const .b8 x[65537];", 4, 12, "more than 65536 bytes of .const; expected fewer" },
    { HEAD ".const .b8 x[65536]; .const .b8 y;",
      4, 33, "more than 65536 bytes of .const; expected fewer" },
    { HEAD ".global .b8 x[67108865] = {1};",
      4, 28, "more than 64 MiB of initial values; expected fewer" },
    { HEAD ".extern .global .b8 x[];",
      4, 21, "x is defined in another module, which is not supported; expected it here" },
    { HEAD ".global .b8 x[4][];", 4, 17, "a size is missing; only the first of an array may be" },
    { HEAD ".local .b8 x;",
      4, 1, ".local is not supported here; expected .entry, .func, .global, .shared" },
    { HEAD ".extern .func f() { ret; }", 4, 15, "f is .extern and has a body; expected either" },
    { HEAD ".global .b64 x = {1,{2}};", 4, 22, "more values than the 1 of x; expected fewer" },
    { HEAD ".global .b64 x[3] = {1,", 4, 24, "the text ends; expected a number" },
    { HEAD ".tex .u64 t;",
      4, 1, ".tex is not supported here; expected .entry, .func, .global, .shared or" },
    { HEAD ".section", 4, 9, "'the end' is no section; expected its name" },
    { HEAD ".section .debug { .b8 1", 4, 24, "the text ends in a directive; expected '}'" },
    { HEAD ".pragma \"x", 4, 9, "a string has no end; expected '\"' on the same line" },
    { HEAD ".file 1 \"x.cu\"\n.entry k() { .loc 1 2 3\n foo; }", 6, 2, "foo is not supported" },
    { HEAD ".alias f, g;",
      4, 1, ".alias is not supported here; expected .entry, .func, .global, .shared" },
    { HEAD ".entry k() { .reg .b32 %r<1048577>; }",
      4, 24, "more than 1048576 registers in a module; expected fewer" },
    { HEAD ".entry k() { .reg .b32 %r<1048576>; } .entry j() { .reg .b32 x; }",
      4, 62, "more than 1048576 registers in a module; expected fewer" },
    { HEAD ".attribute(.managed) .b32 x;",
      4, 1, ".attribute is not supported here; expected .entry, .func, .global" },
    { HEAD ".global .attribute(.foo) .b32 x;",
      4, 20, "attribute 'foo' is not supported; expected .managed" },
    { HEAD "{{{{{{{{{{",
      4, 1, "'{' stands outside of a function; expected .entry, .func or a variable" },
    { HEAD ".entry k() "
      "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{",
      4, 75, "braces nested more than 64 deep; expected fewer" },
    { HEAD ".global .b32 x = "
      "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
      4, 82, "an expression nested more than 64 deep; expected fewer" },
    { HEAD ".global .b32 x = "
      "----------------------------------------------------------------------1;",
      4, 82, "an expression nested more than 64 deep; expected fewer" },
    { HEAD ".global .b32 x[2] = "
      "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{",
      4, 86, "braces nested more than 64 deep; expected fewer" },
    { HEAD ".entry k() { \200 }",
      4, 14, "byte 0x80 is not PTX; expected a name, a number or a sign" },
    { HEAD ".entry k() { ret; # }",
      4, 19, "byte 0x23 is not PTX; expected a name, a number or a sign" },
    { HEAD ".entry k() { add.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x }",
      4, 65, "more than 24 suffixes; expected fewer" },
    { ".version 7.0\n.target sm_75\n.entry k() { cp.async.wait_all; }",
      3, 14, "cp.async.wait_all needs sm_80, and the module is for sm_75" },
    { ".version 6.5\n.target sm_80\n.entry k() { cp.async.wait_all; }",
      3, 14, "cp.async.wait_all needs PTX 7.0, and the module is of version 6.5" },
};

START_TEST(a_wrong_statement_is_refused_where_it_is_wrong)
{
    const struct refused *c = &bodies[_i];
    struct diag d;
    ck_assert_refused(c->text, c->line, c->column, c->says, read_body(c->text, &d), &d);
}
END_TEST

START_TEST(a_wrong_module_is_refused_where_it_is_wrong)
{
    const struct refused *c = &modules[_i];
    struct diag d;
    ck_assert_refused(c->text, c->line, c->column, c->says, read_module(c->text, &d), &d);
}
END_TEST

/* The text stops after each of its bytes in turn. */
START_TEST(a_module_that_is_cut_short_is_refused)
{
    static const char text[] =
        HEAD ".global .b32 x[2] = {1, 2};\n"
        ".func (.param .b32 r) f (.param .b32 a) { st.param.b32 [r], 0d3FF0000000000000; ret; }\n"
        ".entry k(.param .u64 p) .maxntid 32, 1, 1 { .reg .b32 %r<2>; L: /* c */\n"
        "  @%p bra L; mov.u32 %r1, (1 + 2); call (x), f, (1); }";
    for (size_t size = 0; size < sizeof text - 1; size++) {
        struct diag d = { .text = "" };
        char *copy = malloc(size ? size : 1);       /* reading past its end is seen */
        memcpy(copy, text, size);
        struct ptx_module *m = ptx_read(copy, size, "", &d);
        ck_assert_int_eq(!m, d.text[0] != '\0');
        ck_assert(m || (d.line >= 1 && d.column >= 1));
        ptx_free(m);
        free(copy);
    }
}
END_TEST

/* What the second of three functions cannot: only it says so, at its first such instruction. */
static const struct { const char *statements; unsigned column; const char *says; } unsupported[] = {
    { "tex.2d.v4.f32.s32 {%r1, %r1, %r1, %r1}, [t, {%r1, %r2}];", 1, "tex.2d.v4.f32.s32 is not" },
    { "ret; @%p bra L; foo; L: bar.foo 0; ret;", 17, "foo is not supported" },
    { "{ { mad.s32 %r1, %r1, %r1, %r1; } bra L; L: }", 8, "mad.s32 is not supported: '.s32'" },
    { "mov.u64 %d, f;", 13, "a function's address is not supported" },
    { "call (%r1), %d, (%r1), P; P: .callprototype (.param .b32 _) _ (.param .b32 _);", 13,
      "call is not supported through a register" },
    { "P: .callprototype (.param .b32 _) _ (.param .b32 _);", 4, ".callprototype is not" },
};

START_TEST(what_is_not_supported_is_said_of_its_function_alone)
{
    char text[600];
    struct diag d = { .text = "" };
    int size = snprintf(text, sizeof text, "%s.func (.param .b32 r) f (.param .b32 a) { ret; }\n"
                        ".entry k() { .reg .pred %%p; .reg .b32 %%r<3>; .reg .b64 %%d;\n%s\n}\n"
                        ".entry l() { bar.sync 0; ret; }\n", HEAD, unsupported[_i].statements);
    struct ptx_module *m = ptx_read(text, (size_t)size, "", &d);
    ck_assert_msg(m != NULL, "%u:%u: %s", d.line, d.column, d.text);
    const struct ptx_function *f = &m->functions[1], *l = &m->functions[2];
    ck_assert_uint_eq(m->function_count, 3);
    ck_assert_ptr_nonnull(f->unsupported);
    ck_assert_msg(strstr(f->unsupported, unsupported[_i].says) == f->unsupported, "%s",
                  f->unsupported);
    ck_assert_uint_eq(f->unsupported_line, 6);
    ck_assert_uint_eq(f->unsupported_column, unsupported[_i].column);
    ck_assert(!m->functions[0].unsupported && !l->unsupported);
    ck_assert_uint_eq(l->instruction_count, 2);
    ptx_free(m);
}
END_TEST

/* A statement without its end, or a sign that there is not, spoils the module. */
static const struct refused spoiled[] = {
    { HEAD ".entry k() { foo }\n.entry l() { ret; }", 4, 14, "foo is not supported" },
    { HEAD ".entry k() { foo {1}", 4, 14, "foo is not supported" },
    { HEAD ".entry k() { foo 1; bra L; }\n.entry l() { ret; }", 4, 25, "there is no label L" },
    { HEAD ".entry k() { foo 1; ret }\n.entry l() { ret; }", 4, 25, "'}' is no operand" },
};

START_TEST(what_is_no_statement_is_said_of_the_module)
{
    struct diag d = { .text = "" };
    const struct refused *c = &spoiled[_i];
    struct ptx_module *m = ptx_read(c->text, strlen(c->text), "", &d);
    ck_assert_refused(c->text, c->line, c->column, c->says, m, &d);
}
END_TEST

START_TEST(a_zero_byte_is_no_end)
{
    static const char text[] = HEAD ".entry k() { \0 }";
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_read(text, sizeof text - 1, "", &d);
    ck_assert_refused(text, 4, 14, "byte 0x00 is not PTX", m, &d);
}
END_TEST

/* A text of 256 KiB that does one thing again and again takes little time and memory. */
static const struct { const char *before, *again, *after; } much[] = {
    { HEAD ".entry k() {", "{}", "}" },
    { HEAD ".entry k() {", "{ bra L; }", " L: }" },
    { HEAD ".entry k() {", "L;", "}" },
    { HEAD ".entry k() {", ".reg .b32 %r<1>; ", "}" },
    { HEAD ".entry k() { .reg .b32 ", "x<1>,", "}" },
    { HEAD, ".func f();", "" },
    { HEAD ".global .b8 x[] = {", "1,", "}" },
    { HEAD ".entry k() { ret", ".x", "}" },
    { HEAD ".entry k() {", "ad;", "}" },
    { HEAD ".entry k() {", "mma.x;", "}" },
    { HEAD ".entry ", "k", "() {}" },
    { HEAD ".global .b32 x = ", "1+", "" },
    { HEAD ".global .b32 x = ", "1?1:", "" },
    { HEAD ".global .b32 x = ", "(", "" },
    { HEAD ".section .x {", " .b8 1 ", "}" },
    { HEAD, "\n", "" },
    { HEAD, "/**/", "" },
};

START_TEST(a_long_text_of_one_thing_takes_no_time)
{
    size_t before = strlen(much[_i].before), again = strlen(much[_i].again), room = 1 << 18;
    char *text = malloc(room + 1);
    size_t n = before;
    memcpy(text, much[_i].before, before);
    for (; n + again + strlen(much[_i].after) < room; n += again)
        memcpy(text + n, much[_i].again, again);
    strcpy(text + n, much[_i].after);
    struct diag d;
    ptx_free(read_module(text, &d));
    free(text);
}
END_TEST

Suite *ptx_refusals_suite(void)
{
    Suite *s = suite_create("ptx_refusals");
    TCase *t = tcase_create("refusals");
    tcase_set_timeout(t, 30);           /* with sanitizers, beside other work */
    tcase_add_loop_test(t, a_wrong_statement_is_refused_where_it_is_wrong, 0, COUNT_OF(bodies));
    tcase_add_loop_test(t, a_wrong_module_is_refused_where_it_is_wrong, 0, COUNT_OF(modules));
    tcase_add_loop_test(t, what_is_not_supported_is_said_of_its_function_alone, 0,
                        COUNT_OF(unsupported));
    tcase_add_loop_test(t, what_is_no_statement_is_said_of_the_module, 0, COUNT_OF(spoiled));
    tcase_add_test(t, a_zero_byte_is_no_end);
    tcase_add_test(t, a_module_that_is_cut_short_is_refused);
    tcase_add_loop_test(t, a_long_text_of_one_thing_takes_no_time, 0, COUNT_OF(much));
    suite_add_tcase(s, t);
    return s;
}
