/* Every form of an instruction is read, and printed as it was written. */
#include "tests/models/gpu/ptx/module.h"

/* As the manual has them; `hint` is what changes nothing and is not printed. */
static const struct { const char *opcode, *operands, *hint; } forms[] = {
    { "add.u16", "%h1, %h2, %h3", "" },
    { "add.u32", "%r1, %r2, 4294967295", "" },
    { "add.s32", "%s1, %u1, -2147483648", "" },
    { "add.u64", "%d1, %d2, 0xffffffffffffffff", "" },
    { "add.s64", "%q1, %d2, -1", "" },
    { "add.s16", "%h1, %h2, 65535", "" },
    { "add.sat.s32", "%r1, %r2, %r3", "" },
    { "add.cc.u32", "%r1, %r2, %r3", "" },
    { "add.u16x2", "%r1, %r2, %r3", "" },
    { "min.s16x2.relu", "%r1, %r2, %r3", "" },
    { "max.relu.s16x2", "%r1, %r2, %r3", "" },
    { "max.u16x2", "%r1, %r2, %r3", "" },
    { "add.cc.s64", "%d1, %d2, %d3", "" },
    { "add.f32", "%f1, %f2, 0f3F800000", "" },
    { "add.rn.ftz.sat.f32", "%f1, %r2, %f3", "" },
    { "add.rz.f32", "%f1, %f2, 1.5", "" },
    { "add.f64", "%e1, %e2, 0d3FF0000000000000", "" },
    { "add.rp.f64", "%e1, %d2, %e0", "" },
    { "add.f16", "%h1, %g1, %g2", "" },
    { "add.rn.ftz.sat.f16", "%h1, %h2, %h3", "" },
    { "add.f16x2", "%r1, %r2, %r3", "" },
    { "add.rn.bf16", "%h1, %h2, %h3", "" },
    { "add.bf16x2", "%r1, %r2, %r3", "" },
    { "sub.s32", "%r1, 0, %r3", "" },
    { "sub.cc.u64", "%d1, %d2, %d3", "" },
    { "sub.rm.f32", "%f1, %f2, %f3", "" },
    { "sub.rn.f16x2", "%r1, %r2, %r3", "" },
    { "addc.u32", "%r1, %r2, 0", "" },
    { "addc.cc.s32", "%r1, %r2, 0", "" },
    { "subc.u64", "%d1, %d2, 0", "" },
    { "subc.cc.u32", "%r1, %r2, 0", "" },
    { "mul.lo.s32", "%r1, %r2, %r3", "" },
    { "mul.hi.u64", "%d1, %d2, 3", "" },
    { "mul.lo.u16", "%h1, %h2, 3", "" },
    { "mul.wide.u16", "%r1, %h2, %h3", "" },
    { "mul.wide.s32", "%d1, %r2, 4", "" },
    { "mul.f32", "%f1, %f2, -0.5", "" },
    { "mul.rn.ftz.sat.f32", "%f1, %f2, %f3", "" },
    { "mul.rn.f64", "%e1, %e2, 2.0", "" },
    { "mul.f16x2", "%r1, %r2, %r3", "" },
    { "mul.rn.bf16x2", "%r1, %r2, %r3", "" },
    { "mad.lo.s32", "%r1, %r2, %r3, 7", "" },
    { "mad.hi.sat.s32", "%r1, %r2, %r3, 7", "" },
    { "mad.wide.u32", "%d1, %r2, %r3, %d4", "" },
    { "mad.wide.s16", "%r1, %h2, 3, %r3", "" },
    { "mad.lo.cc.u32", "%r1, %r2, %r3, 7", "" },
    { "mad.rn.ftz.f32", "%f1, %f2, %f3, %f4", "" },
    { "mad.rn.f64", "%e1, %e2, %e0, %e1", "" },
    { "madc.hi.cc.u32", "%r1, %r2, %r3, 0", "" },
    { "madc.lo.u64", "%d1, %d2, %d3, 0", "" },
    { "mul24.lo.u32", "%r1, %r2, %r3", "" },
    { "mad24.hi.s32", "%r1, %r2, %r3, %r4", "" },
    { "mad24.hi.sat.s32", "%r1, %r2, %r3, %r4", "" },
    { "sad.u32", "%r1, %r2, %r3, %r4", "" },
    { "sad.s64", "%d1, %d2, %d3, %d4", "" },
    { "div.s32", "%r1, %r2, 10", "" },
    { "div.u64", "%d1, %d2, %d3", "" },
    { "div.approx.f32", "%f1, %f2, %f3", "" },
    { "div.full.ftz.f32", "%f1, %f2, %f3", "" },
    { "div.rn.f32", "%f1, %f2, %f3", "" },
    { "div.rz.ftz.f32", "%f1, %f2, %f3", "" },
    { "div.rn.f64", "%e1, %e2, %e0", "" },
    { "rem.u32", "%r1, %r2, %r3", "" },
    { "abs.s32", "%r1, %r2", "" },
    { "abs.ftz.f32", "%f1, %f2", "" },
    { "abs.f64", "%e1, %e2", "" },
    { "abs.f16x2", "%r1, %r2", "" },
    { "neg.s16", "%h1, %h2", "" },
    { "neg.f32", "%f1, %f2", "" },
    { "neg.bf16x2", "%r1, %r2", "" },
    { "min.u32", "%r1, %r2, %r3", "" },
    { "min.relu.s32", "%r1, %r2, %r3", "" },
    { "min.f32", "%f1, %f2, 0f00000000", "" },
    { "min.ftz.NaN.f32", "%f1, %f2, %f3", "" },
    { "min.xorsign.abs.f32", "%f1, %f2, %f3", "" },
    { "max.s64", "%d1, %d2, %d3", "" },
    { "max.f64", "%e1, %e2, %e0", "" },
    { "max.NaN.f16x2", "%r1, %r2, %r3", "" },
    { "max.bf16", "%h1, %h2, %h3", "" },
    { "max.NaN.xorsign.abs.bf16x2", "%r1, %r2, %r3", "" },
    { "fma.rn.f32", "%f1, %f2, %f3, %f4", "" },
    { "fma.rm.ftz.sat.f32", "%f1, %f2, 0f40000000, %f4", "" },
    { "fma.rz.f64", "%e1, %e2, %e0, 1.0", "" },
    { "fma.rn.f16", "%h1, %h2, %h3, %h0", "" },
    { "fma.rn.ftz.relu.f16x2", "%r1, %r2, %r3, %r4", "" },
    { "fma.rn.relu.bf16x2", "%r1, %r2, %r3, %r4", "" },
    { "popc.b32", "%r1, %r2", "" },
    { "popc.b64", "%r1, %d2", "" },
    { "clz.b64", "%r1, %d2", "" },
    { "bfind.u32", "%r1, %r2", "" },
    { "bfind.shiftamt.s64", "%r1, %d2", "" },
    { "brev.b32", "%r1, %r2", "" },
    { "bfe.u32", "%r1, %r2, 8, 8", "" },
    { "bfe.s64", "%d1, %d2, %r3, %r4", "" },
    { "bfi.b32", "%r1, %r2, %r3, 8, 8", "" },
    { "bfi.b64", "%d1, %d2, %d3, 8, %r4", "" },
    { "dp4a.u32.s32", "%r1, %r2, %r3, %r4", "" },
    { "dp2a.lo.s32.s32", "%r1, %r2, %r3, %r4", "" },
    { "fns.b32", "%r1, %r2, 0, 1", "" },
    { "szext.clamp.s32", "%r1, %r2, 5", "" },
    { "bmsk.wrap.b32", "%r1, 3, %r2", "" },
    { "rcp.approx.ftz.f32", "%f1, %f2", "" },
    { "rcp.rn.f32", "%f1, %f2", "" },
    { "rcp.rn.f64", "%e1, %e2", "" },
    { "rcp.approx.ftz.f64", "%e1, %e2", "" },
    { "sqrt.rn.f32", "%f1, %f2", "" },
    { "sqrt.approx.f32", "%f1, %f2", "" },
    { "sqrt.rp.f64", "%e1, %e2", "" },
    { "rsqrt.approx.f32", "%f1, %f2", "" },
    { "rsqrt.approx.f64", "%e1, %e2", "" },
    { "sin.approx.ftz.f32", "%f1, %f2", "" },
    { "cos.approx.f32", "%f1, %f2", "" },
    { "lg2.approx.f32", "%f1, %f2", "" },
    { "ex2.approx.ftz.f32", "%f1, %f2", "" },
    { "ex2.approx.f16x2", "%r1, %r2", "" },
    { "ex2.approx.ftz.bf16x2", "%r1, %r2", "" },
    { "tanh.approx.f32", "%f1, %f2", "" },
    { "tanh.approx.f16", "%h1, %h2", "" },
    { "testp.subnormal.f32", "%p1, %f2", "" },
    { "testp.notanumber.f64", "%p1, %e2", "" },
    { "copysign.f32", "%f1, %f2, %f3", "" },

    { "setp.eq.b32", "%p1, %r2, %r3", "" },
    { "setp.lt.s32", "%p1, %r2, -1", "" },
    { "setp.hs.u64", "%p1|%p2, %d2, %d3", "" },
    { "setp.geu.ftz.f32", "%p1, %f2, 0f00000000", "" },
    { "setp.nan.f64", "%p1|_, %e2, %e0", "" },
    { "setp.lt.and.f32", "%p1|%p2, %f1, %f2, !%p3", "" },
    { "setp.ne.xor.s16", "%p1, %h1, 0, %p2", "" },
    { "setp.gt.f16", "%p1, %h1, %h2", "" },
    { "setp.num.ftz.f16x2", "%p1|%p2, %r1, %r2", "" },
    { "setp.lt.or.bf16x2", "%p1|%p2, %r1, %r2, %p3", "" },
    { "set.eq.u32.s32", "%r1, %r2, %r3", "" },
    { "set.lt.ftz.f32.f32", "%f1, %f2, %f3", "" },
    { "set.le.and.s32.f64", "%r1, %e1, %e2, !%p1", "" },
    { "set.gt.f16x2.f16x2", "%r1, %r2, %r3", "" },
    { "set.ne.u32.bf16", "%r1, %h1, %h2", "" },
    { "selp.b32", "%r1, %r2, 7, %p1", "" },
    { "selp.f32", "%f1, 0f3F800000, 0f00000000, %p1", "" },
    { "selp.u16", "%h1, 1, 0, %p1", "" },
    { "slct.f32.s32", "%f1, %f2, %f3, %r1", "" },
    { "slct.ftz.u64.f32", "%d1, %d2, %d3, %f1", "" },
    { "and.b32", "%r1, %r2, 31", "" },
    { "and.pred", "%p1, %p2, %p3", "" },
    { "or.b64", "%d1, %d2, %d3", "" },
    { "xor.b16", "%h1, %h2, -1", "" },
    { "not.b32", "%r1, %r2", "" },
    { "not.pred", "%p1, %p2", "" },
    { "cnot.b64", "%d1, %d2", "" },
    { "lop3.b32", "%r1, %r2, %r3, %r4, 0xe8", "" },
    { "shf.l.wrap.b32", "%r1, %r2, %r3, 7", "" },
    { "shf.r.clamp.b32", "%r1, %r2, %r3, %r4", "" },
    { "shl.b64", "%d1, %d2, %r3", "" },
    { "shr.s16", "%h1, %h2, 3", "" },
    { "shr.b32", "%r1, %r2, 3", "" },
    { "prmt.b32", "%r1, %r2, %r3, 0x5410", "" },
    { "prmt.b32.f4e", "%r1, %r2, %r3, %r4", "" },
    { "prmt.b32.rc16", "%r1, %r2, %r3, 1", "" },

    { "mov.u32", "%r1, %tid.x", "" },
    { "mov.u32", "%r1, %lanemask_lt", "" },
    { "mov.u64", "%d1, %clock64", "" },
    { "mov.u64", "%d1, %globaltimer", "" },
    { "mov.u64", "%d1, g+4", "" },
    { "mov.u32", "%r1, s", "" },
    { "mov.b64", "%d1, a", "" },
    { "mov.b32", "%f1, %r1", "" },
    { "mov.b32", "%r1, 0f3F800000", "" },
    { "mov.f32", "%f1, 0d3FF0000000000000", "" },
    { "mov.pred", "%p1, %p2", "" },
    { "mov.pred", "%p1, 1", "" },
    { "mov.b64", "{%r1, %r2}, %d1", "" },
    { "mov.b64", "{%r1, _}, %d1", "" },
    { "mov.b64", "%d1, {%r1, 0}", "" },
    { "mov.b64", "%d1, {%h0, %h1, %h2, %h3}", "" },
    { "mov.b32", "%r1, {%h1, %h2}", "" },
    { "ld.param.u64", "%d1, [a]", "" },
    { "ld.param.f32", "%f1, [b]", "" },
    { "ld.global.f32", "%f1, [g+4]", "" },
    { "ld.global.v4.f32", "{%f1, %f2, %f3, %f4}, [%d1+16]", "" },
    { "ld.global.v2.u64", "{%d1, %d2}, [%d3+-16]", "" },
    { "ld.global.u8", "%h1, [%d3]", "" },
    { "ld.global.s8", "%q1, [%d3-1]", "" },
    { "ld.global.ca.u32", "%r1, [%d3]", "" },
    { "ld.shared.cv.b32", "%r1, [%r2+4]", "" },
    { "ld.b32", "%r1, [%d1]", "" },
    { "ld.f64", "%e1, [g]", "" },
    { "ld.const.u32", "%r1, [c]", "" },
    { "ld.local.b16", "%h1, [l+2]", "" },
    { "ld.weak.global.u32", "%r1, [%d1]", "" },
    { "ld.global.nc.f32", "%f1, [%d1]", "" },
    { "ld.global.nc.v4.u32", "{%r1, %r2, %r3, %r4}, [%d1]", ".L1::no_allocate.L2::128B" },
    { "ld.volatile.global.u32", "%r1, [%d1]", "" },
    { "ld.relaxed.gpu.global.u32", "%r1, [%d1]", "" },
    { "ld.acquire.sys.global.b64", "%d1, [%d2]", "" },
    { "ld.acquire.cta.shared.f32", "%f1, [s]", "" },
    { "ldu.global.v4.f32", "{%f1, %f2, %f3, %f4}, [%d1]", "" },
    { "st.global.f32", "[%d1], %f1", "" },
    { "st.global.v4.f32", "[%d1], {%f1, %f2, %f3, %f4}", "" },
    { "st.shared.v2.b32", "[%r1+8], {%r2, 7}", "" },
    { "st.u8", "[%d1], %r1", "" },
    { "st.global.b32", "[4096], 5", "" },
    { "st.param.b32", "[pa], 5", "" },
    { "st.local.b64", "[l], %d1", "" },
    { "st.global.cs.f32", "[g+28], 0f00000000", "" },
    { "st.volatile.shared.u32", "[s+4], %r1", "" },
    { "st.relaxed.gpu.global.u32", "[%d1], %r1", "" },
    { "st.release.sys.global.u32", "[%d1], %r1", "" },
    { "prefetch.global.L2", "[%d1]", "" },
    { "prefetch.L1", "[%d1]", "" },
    { "prefetch.global.L2::evict_last", "[%d1]", "" },
    { "prefetchu.L1", "[%d1]", "" },
    { "discard.global.L2", "[%d1], 128", "" },
    { "applypriority.global.L2::evict_normal", "[%d1], 128", "" },
    { "isspacep.shared", "%p1, %d1", "" },
    { "cvta.global.u64", "%d1, g", "" },
    { "cvta.to.shared.u64", "%d1, %d2", "" },
    { "cvta.local.u64", "%d1, %d2", "" },
    { "cvt.u32.u16", "%r1, %h1", "" },
    { "cvt.s64.s32", "%d1, %r1", "" },
    { "cvt.u8.u32", "%h1, %r1", "" },
    { "cvt.sat.s8.s32", "%r1, %r2", "" },
    { "cvt.rn.f32.s32", "%f1, %r1", "" },
    { "cvt.rz.f64.u64", "%e1, %d1", "" },
    { "cvt.rzi.s32.f32", "%r1, %f1", "" },
    { "cvt.rni.ftz.u64.f32", "%d1, %f1", "" },
    { "cvt.rmi.f32.f32", "%f1, %f2", "" },
    { "cvt.ftz.sat.f32.f32", "%f1, %f2", "" },
    { "cvt.f64.f32", "%e1, %f1", "" },
    { "cvt.sat.f64.f32", "%e1, %f1", "" },
    { "cvt.rn.f32.f64", "%f1, %e1", "" },
    { "cvt.rn.f16.f32", "%h1, %f1", "" },
    { "cvt.f32.f16", "%f1, %h1", "" },
    { "cvt.rn.f16.u16", "%h1, %h2", "" },
    { "cvt.rn.relu.f16.f32", "%h1, %f1", "" },
    { "cvt.rn.bf16.f32", "%h1, %f1", "" },
    { "cvt.rz.relu.bf16x2.f32", "%r1, %f1, %f2", "" },
    { "cvt.rn.f16x2.f32", "%r1, %f1, %f2", "" },
    { "cvt.rna.tf32.f32", "%r1, %f1", "" },
    { "cvt.rna.satfinite.tf32.f32", "%r1, %f1", "" },
    { "cvt.rz.satfinite.bf16.f32", "%h1, %f1", "" },
    { "cvt.rn.relu.satfinite.f16x2.f32", "%r1, %f1, %f2", "" },
    { "cvt.f32.bf16", "%f1, %h1", "" },
    { "cvt.ftz.f32.bf16", "%f1, %h1", "" },
    { "cvt.rn.bf16.s32", "%h1, %r1", "" },

    { "ldmatrix.sync.aligned.m8n8.x1.shared.b16", "{%r1}, [%r5]", "" },
    { "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16", "{%r1, %r2}, [%r5+16]", "" },
    { "ldmatrix.sync.aligned.m8n8.x4.b16", "{%r1, %r2, %r3, %r4}, [%d1]", "" },
    { "movmatrix.sync.aligned.m8n8.trans.b16", "%r1, %r2", "" },
    { "cp.async.ca.shared.global", "[%r1], [%d1], 4", "" },
    { "cp.async.ca.shared.global", "[%r1], [%d1+64], 8, %r2", ".L2::64B" },
    { "cp.async.cg.shared.global", "[s+16], [%d1], 16, 0", ".L2::256B" },
    { "cp.async.commit_group", "", "" },
    { "cp.async.wait_group", "2", "" },
    { "cp.async.wait_all", "", "" },
    { "bar.sync", "0", "" },
    { "bar.sync", "%r1, %r2", "" },
    { "bar.arrive", "15, 96", "" },
    { "bar.red.popc.u32", "%r1, 0, %p1", "" },
    { "bar.red.and.pred", "%p1, 1, 64, !%p2", "" },
    { "bar.warp.sync", "0xffffffff", "" },
    { "membar.cta", "", "" },
    { "membar.gl", "", "" },
    { "membar.sys", "", "" },
    { "fence.sc.gpu", "", "" },
    { "fence.acq_rel.cta", "", "" },
    { "fence.acquire.gpu", "", "" },
    { "bra", "L", "" },
    { "bra.uni", "L", "" },
    { "call", "(pr), f, (pa, pb)", "" },
    { "call.uni", "(pr), f, (pa, pb)", "" },
    { "ret", "", "" },
    { "ret.uni", "", "" },
    { "exit", "", "" },
    { "trap", "", "" },
    { "brkpt", "", "" },
    { "nanosleep.u32", "20", "" },
    { "pmevent", "7", "" },
    { "shfl.sync.up.b32", "%r1, %r2, 1, 0, -1", "" },
    { "shfl.sync.down.b32", "%f1|%p1, %f2, 16, 31, 0xffffffff", "" },
    { "shfl.sync.bfly.b32", "%r1, %r2, %r3, %r4, %r5", "" },
    { "shfl.sync.idx.b32", "%r1|%p2, %r2, 0, 31, -1", "" },
    { "vote.sync.all.pred", "%p1, %p2, -1", "" },
    { "vote.sync.uni.pred", "%p1, !%p2, -1", "" },
    { "vote.sync.ballot.b32", "%r1, !%p2, %r2", "" },
    { "match.any.sync.b64", "%r1, %d1, -1", "" },
    { "match.all.sync.b32", "%r1|%p1, %r2, -1", "" },
    { "activemask.b32", "%r1", "" },
    { "redux.sync.max.s32", "%r1, %r2, -1", "" },
    { "redux.sync.xor.b32", "%r1, %r2, -1", "" },
    { "elect.sync", "_|%p1, -1", "" },
    { "atom.global.add.u32", "%r1, [%d1], 1", "" },
    { "atom.global.add.f32", "%f1, [%d1+4], %f2", "" },
    { "atom.add.f64", "%e1, [%d1], %e2", "" },
    { "atom.shared.exch.b32", "%r1, [s], %r2", "" },
    { "atom.shared.cas.b32", "%r1, [%r2], 0, 1", "" },
    { "atom.global.cas.b64", "%d1, [%d2], %d3, %d4", "" },
    { "atom.global.cas.b16", "%h1, [%d2], %h2, %h3", "" },
    { "atom.global.inc.u32", "%r1, [%d1], 7", "" },
    { "atom.global.min.s64", "%d1, [%d2], %d3", "" },
    { "atom.global.and.b32", "_, [%d2], 1", "" },
    { "atom.acquire.gpu.global.add.u64", "%d1, [%d2], 1", "" },
    { "atom.global.add.noftz.f16x2", "%r1, [%d1], %r2", "" },
    { "atom.global.add.noftz.bf16", "%h1, [%d1], %h2", "" },
    { "red.global.add.f32", "[%d1], %f1", "" },
    { "red.shared.or.b32", "[s+4], %r1", "" },
    { "red.release.sys.global.max.u64", "[%d1], %d2", "" },
    { "red.global.dec.u32", "[%d1], 9", "" },
    { "atom.global.cta.add.u32", "%r1, [%d1], 1", "" },
    { "atom.acq_rel.shared.gpu.cas.b64", "%d1, [s], %d2, %d3", "" },
    { "red.global.sys.min.s32", "[%d1], %r2", "" },
    { "mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16",
      "{%r1, %r2}, {%r3, %r4}, {%r5}, {%r1, %r2}", "" },
    { "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32",
      "{%f1, %f2, %f3, %f4}, {%r3, %r4}, {%r5}, {%f1, %f2, %f3, %f4}", "" },
    { "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32",
      "{%f1, %f2, %f3, %f4}, {%r3, %r4}, {%r5}, {%f1, %f2, %f3, %f4}", "" },
    { "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32",
      "{%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4}", "" },
    { "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32",
      "{%f1, %f2, %f3, %f4}, {%r1, %r2}, {%r5}, {%f1, %f2, %f3, %f4}", "" },
    { "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16",
      "{%r1, %r2}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%r1, %r2}", "" },
    { "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32",
      "{%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4}", "" },
    { "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32",
      "{%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4}", "" },
#define R8 "{%r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7}"
#define F8 "{%f0, %f1, %f2, %f3, %f4, %f5, %f6, %f7}"
#define R4 "{%r0, %r1, %r2, %r3}"
#define R2 "{%r0, %r1}"
    { "mma.sync.aligned.m16n8k16.row.col.s32.u8.s8.s32", R4 ", " R2 ", {%r1}, " R4, "" },
    { "mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32",
      R4 ", " R4 ", " R2 ", " R4, "" },
    { "wmma.load.a.sync.aligned.row.m16n16k16.shared.bf16", R4 ", [%r8], 24", "" },
    { "wmma.load.b.sync.aligned.col.m16n16k8.tf32", R4 ", [%d1], %r8", "" },
    { "wmma.load.c.sync.aligned.col.m16n16k8.global.f32", F8 ", [%d1], %r8", "" },
    { "wmma.mma.sync.aligned.row.col.m16n16k16.f32.bf16.bf16.f32",
      F8 ", " R4 ", " R4 ", " F8, "" },
    { "wmma.mma.sync.aligned.col.col.m16n16k8.f32.tf32.tf32.f32",
      F8 ", " R4 ", " R4 ", " F8, "" },
    { "wmma.store.d.sync.aligned.row.m16n16k8.f32", "[%d1], " F8, "" },
    { "wmma.load.a.sync.aligned.row.m8n32k16.bf16", R2 ", [%d1], %r8", "" },
    { "wmma.load.b.sync.aligned.col.m32n8k16.shared.f16", R8 ", [%r8], 24", "" },
    { "wmma.mma.sync.aligned.row.col.m32n8k16.f32.bf16.bf16.f32",
      F8 ", " R8 ", " R2 ", " F8, "" },
    { "wmma.mma.sync.aligned.row.col.m8n32k16.f16.f32", R4 ", " R8 ", " R8 ", " F8, "" },
    { "wmma.store.d.sync.aligned.col.m8n32k16.f16", "[%d1], " R4 ", 32", "" },
    { "wmma.load.a.sync.aligned.row.m16n16k16.shared.f16", R8 ", [%r8], 24", "" },
    { "wmma.load.b.sync.aligned.col.m16n16k16.global.f16", R8 ", [%d1], %r8", "" },
    { "wmma.load.c.sync.aligned.row.m16n16k16.f32", F8 ", [%d1]", "" },
    { "wmma.load.c.sync.aligned.col.m16n16k16.global.f16", R4 ", [%d1], 16", "" },
    { "wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32", F8 ", " R8 ", " R8 ", " F8, "" },
    { "wmma.mma.sync.aligned.col.row.m16n16k16.f16.f16", R4 ", " R8 ", " R8 ", " R4, "" },
    { "wmma.mma.sync.aligned.row.row.m16n16k16.f32.f16", F8 ", " R8 ", " R8 ", " R4, "" },
    { "wmma.mma.sync.aligned.col.col.m16n16k16.f16.f32", R4 ", " R8 ", " R8 ", " F8, "" },
    { "wmma.store.d.sync.aligned.row.m16n16k16.global.f32", "[%d1], " F8 ", %r8", "" },
    { "wmma.store.d.sync.aligned.col.m16n16k16.shared.f16", "[s], " R4, "" },
};

/* Hints stand before the vector or the type, or last. */
static void write_with_hint(char *text, size_t size, int i)
{
    const char *opcode = forms[i].opcode, *at = strstr(opcode, ".v4");
    int before = at ? (int)(at - opcode) : (int)strlen(opcode);
    snprintf(text, size, "%.*s%s%s %s; L:", before, opcode, forms[i].hint, opcode + before,
             forms[i].operands);
}

START_TEST(a_form_is_read_and_printed_as_it_was_written)
{
    char text[400], printed[200];
    const struct ptx_function *k;
    write_with_hint(text, sizeof text, _i);
    struct ptx_module *m = good_body(text, &k);
    ck_assert_uint_ge(k->instruction_count, 1);
    ptx_print(&k->instructions[0], printed, sizeof printed);
    ck_assert_str_eq(printed, forms[_i].opcode);
    ck_assert_uint_eq(k->instructions[0].line, 10);
    ck_assert_uint_eq(k->instructions[0].column, 1);
    ptx_free(m);
}
END_TEST

/* With any one of its suffixes left out or written twice an instruction is another one or
 * none, and never the same one. */
START_TEST(a_form_without_a_suffix_is_not_the_same)
{
    const char *opcode = forms[_i].opcode;
    for (const char *dot = strchr(opcode, '.'); dot; dot = strchr(dot + 1, '.')) {
        char text[400], printed[200];
        struct diag d;
        size_t length = 1 + strcspn(dot + 1, ".");
        snprintf(text, sizeof text, "%.*s%s %s; L:", (int)(dot - opcode), opcode, dot + length,
                 forms[_i].operands);
        struct ptx_module *m = read_body(text, &d);
        if (m) {
            ptx_print(&ptx_entry(m, "k", &d)->instructions[0], printed, sizeof printed);
            ck_assert_str_ne(printed, opcode);
        }
        ptx_free(m);
        snprintf(text, sizeof text, "%.*s%.*s%s %s; L:", (int)(dot - opcode), opcode, (int)length,
                 dot, dot, forms[_i].operands);
        m = read_body(text, &d);
        bool types = strncmp(opcode, "set.", 4) == 0 || strncmp(opcode, "slct", 4) == 0
                  || strncmp(opcode, "cvt.", 4) == 0;
        ck_assert_msg(!m || types, "%s", text);
        ptx_free(m);
    }
}
END_TEST

/* One operand more, one less: refused. */
START_TEST(a_form_with_an_operand_too_many_is_refused)
{
    char text[400];
    struct diag d;
    snprintf(text, sizeof text, "%s %s%s%%r1, %%r1, %%r1; L:", forms[_i].opcode,
             forms[_i].operands, forms[_i].operands[0] ? ", " : "");
    ck_assert_msg(!read_body(text, &d), "%s", text);
}
END_TEST

/* Where the next operand begins, past commas within brackets; the length of this one. */
static size_t operand_length(const char *at)
{
    size_t n = 0;
    for (int depth = 0; at[n] && (depth || at[n] != ','); n++)
        depth += !!strchr("{[(", at[n]) - !!strchr("}])", at[n]);
    return n;
}

/* A register that cannot stand where `operand` does: of another kind, or of another size. */
static const char *wrong_register(const char *opcode, const char *operand, bool size)
{
    bool ignored = strncmp(opcode, "cp.async.c", 10) == 0 && operand[0] != '[';
    if (ignored && !size)
        return NULL;            /* a predicate that says whether the source is read */
    bool predicate = operand[0] == '!' || strncmp(operand, "%p", 2) == 0
                  || strcmp(opcode, "mov.pred") == 0;
    if (!size)
        return predicate ? "%r0" : "%p0";
    bool is_special = strlen(operand) > 3 && operand[3] != ',' && operand[3] != '|';
    bool may_be_wider = strncmp(opcode, "ld", 2) == 0 || strncmp(opcode, "st", 2) == 0
                     || strncmp(opcode, "cvt.", 4) == 0;
    if (operand[0] != '%' || predicate || is_special || may_be_wider)
        return NULL;
    return strchr("deq", operand[1]) ? "%h0" : "%d0";
}

/* Each operand in turn. */
START_TEST(a_form_with_another_kind_of_register_is_refused)
{
    const char *opcode = forms[_i].opcode, *all = forms[_i].operands;
    if (opcode[0] == 'b' && strstr(all, "L"))
        return;
    for (const char *at = all; *at; at += operand_length(at), at += strspn(at, ", "))
        for (int size = 0; size <= 1; size++) {
            char text[400];
            struct diag d;
            const char *wrong = wrong_register(opcode, at, size);
            if (!wrong)
                continue;
            snprintf(text, sizeof text, "%s %.*s%s%s; L:", opcode, (int)(at - all), all, wrong,
                     at + operand_length(at));
            ck_assert_msg(!read_body(text, &d), "%s", text);
        }
}
END_TEST

Suite *ptx_forms_suite(void)
{
    Suite *s = suite_create("ptx_forms");
    TCase *t = tcase_create("forms");
    tcase_add_loop_test(t, a_form_is_read_and_printed_as_it_was_written, 0, COUNT_OF(forms));
    tcase_add_loop_test(t, a_form_without_a_suffix_is_not_the_same, 0, COUNT_OF(forms));
    tcase_add_loop_test(t, a_form_with_an_operand_too_many_is_refused, 0, COUNT_OF(forms));
    tcase_add_loop_test(t, a_form_with_another_kind_of_register_is_refused, 0, COUNT_OF(forms));
    suite_add_tcase(s, t);
    return s;
}
