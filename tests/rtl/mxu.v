// mxu.v - the textbook weight-stationary array: a register between any two PEs.
//
//               weights, PER_CYCLE lanes a column, a column a cycle later than the one before
//                  |        |        |
//     row 0 --> [ PE ]-->[ PE ]-->[ PE ]-->
//     row 1 --> [ PE ]-->[ PE ]-->[ PE ]-->     rows enter a cycle later than the one above
//     row 2 --> [ PE ]-->[ PE ]-->[ PE ]-->
//                  |        |        |
//               partial sums, made level again: results of a row, all in one cycle
//
// Commands (load, stream) act in the cycle in which they are given, and may be given only
// where can_load, can_stream, can_reuse allow; data is asked for by index and is wanted in
// the same cycle.  Ports are as wide as the largest array, so that one harness fits all.

module mxu_pe #(parameter ROW = 0, BUFFERS = 2, PER_CYCLE = 1) (
    input             clock,
    input             valid_in, swap_in,    // an activation row; the first of new weights
    input      [15:0] a_in,
    input      [31:0] sum_in,
    input             push_in,              // weight rows index_in * PER_CYCLE and up
    input       [7:0] index_in,
    input      [PER_CYCLE*16-1:0] weights_in,
    output reg        valid, swap,
    output reg [15:0] a,
    output reg [31:0] sum,
    output reg        push,
    output reg  [7:0] index,
    output reg [PER_CYCLE*16-1:0] weights
);
    reg [15:0] staged, placed;
    wire take = push_in && {24'b0, index_in} == ROW / PER_CYCLE;
    wire [15:0] mine = weights_in[ROW % PER_CYCLE * 16 +: 16];
    wire [15:0] weight = swap_in && BUFFERS == 2 ? staged : placed;
    wire [31:0] next_sum;
    bf16_multiply_add mac (.a(a_in), .b(weight), .c(sum_in), .s(next_sum));

    always @(posedge clock) begin
        valid <= valid_in;
        swap <= swap_in;
        a <= a_in;
        if (valid_in) sum <= next_sum;
        push <= push_in;
        index <= index_in;
        weights <= weights_in;
        if (take) staged <= mine;
        if (BUFFERS == 1) begin
            if (take) placed <= mine;
        end else if (swap_in)
            placed <= staged;
    end
endmodule

// WIDTH bits, STAGES cycles later.
module delay #(parameter WIDTH = 1, STAGES = 1) (
    input clock, input [WIDTH-1:0] in, output [WIDTH-1:0] out
);
    generate if (STAGES == 0) begin : none
        assign out = in;
    end else begin : some
        reg [WIDTH-1:0] stage [0:STAGES-1];
        always @(posedge clock) begin
            stage[0] <= in;
            for (integer i = 1; i < STAGES; i = i + 1) stage[i] <= stage[i-1];
        end
        assign out = stage[STAGES-1];
    end endgenerate
endmodule

module mxu_control #(parameter ROWS = 3, COLS = 5, BUFFERS = 2, SWAP = 0, PER_CYCLE = 1) (
    input         clock, reset,
    input         load, stream, reuse,
    input  [15:0] depth,
    output        can_load, can_stream, can_reuse,
    output        push, enter, swap,
    output  [7:0] push_index,
    output [15:0] row_index,
    output reg [2:0] state                  // as enum tpu_mxu_state
);
    localparam PUSH = (ROWS + PER_CYCLE - 1) / PER_CYCLE;
    reg staged, placed;
    reg [7:0] push_left, swap_left, drain_left;
    reg [15:0] rows_left, depth_now;

    wire free = rows_left == 0;
    assign can_stream = free && staged && push_left == 0 && (BUFFERS == 1 || swap_left == 0);
    assign can_reuse  = free && placed && !(BUFFERS == 1 && staged);
    assign can_load   = (!staged || swap) && (BUFFERS == 2 || (free && drain_left == 0 && !stream));
    assign push       = load || push_left != 0;
    assign push_index = load ? 8'd0 : PUSH[7:0] - push_left;
    assign enter      = stream || rows_left != 0;
    assign row_index  = stream ? 16'd0 : depth_now - rows_left;
    assign swap       = stream && !reuse;

    wire staged_now = (staged && !swap) || load;
    wire swapping = !enter && staged_now && !push && swap_left != 0 && BUFFERS == 2;

    always @* begin
        if (enter)                                  state = 4;      // STREAM
        else if (BUFFERS == 1 && drain_left != 0)   state = 6;      // DRAIN
        else if (!staged_now)                       state = 0;      // IDLE
        else if (push)                              state = 1;      // WEIGHTS
        else if (swapping)                          state = 2;      // SWAP
        else                                        state = 3;      // WAIT
    end

    always @(posedge clock)
        if (reset) begin
            staged <= 0;
            placed <= 0;
            push_left <= 0;
            swap_left <= 0;
            drain_left <= 0;
            rows_left <= 0;
        end else begin
            staged <= staged_now;
            placed <= placed || swap;
            push_left <= load ? PUSH[7:0] - 1 : push_left - {7'b0, push_left != 0};
            rows_left <= stream ? depth - 1 : rows_left - {15'b0, rows_left != 0};
            if (stream) depth_now <= depth;
            drain_left <= enter ? ROWS[7:0] + COLS[7:0] - 2 : drain_left - {7'b0, drain_left != 0};
            if (load || stream) swap_left <= staged_now ? SWAP[7:0] : 0;
            else if (swapping)  swap_left <= swap_left - 1;
        end
endmodule

module mxu #(parameter ROWS = 3, COLS = 5, BUFFERS = 2, SWAP = 0, PER_CYCLE = 1) (
    input          clock, reset,
    input          load, stream, reuse,
    input   [15:0] depth,
    output         can_load, can_stream, can_reuse,
    output   [2:0] state,
    output         push, enter,
    output   [7:0] push_index,
    output  [15:0] row_index,
    input  [255:0] weights,                 // [lane][column], 8 columns to a lane
    input  [127:0] row,
    output         result_valid,
    output [255:0] results
);
    wire swap;
    mxu_control #(.ROWS(ROWS), .COLS(COLS), .BUFFERS(BUFFERS), .SWAP(SWAP), .PER_CYCLE(PER_CYCLE))
        control (.clock(clock), .reset(reset), .load(load), .stream(stream), .reuse(reuse),
                 .depth(depth), .can_load(can_load), .can_stream(can_stream),
                 .can_reuse(can_reuse), .push(push), .enter(enter), .swap(swap),
                 .push_index(push_index), .row_index(row_index), .state(state));

    localparam LANES = PER_CYCLE * 16;
    wire             valid  [0:ROWS-1][0:COLS];     // at the left of column c
    wire             swaps  [0:ROWS-1][0:COLS];
    wire [15:0]      a      [0:ROWS-1][0:COLS];
    wire [31:0]      sum    [0:ROWS][0:COLS-1];     // above row r
    wire             pushes [0:ROWS][0:COLS-1];
    wire [7:0]       index  [0:ROWS][0:COLS-1];
    wire [LANES-1:0] lanes  [0:ROWS][0:COLS-1];

    genvar r, c, l;
    generate
        for (r = 0; r < ROWS; r = r + 1) begin : left
            delay #(.WIDTH(18), .STAGES(r)) skew (.clock(clock),
                .in({enter && !reset, swap, row[r*16 +: 16]}),
                .out({valid[r][0], swaps[r][0], a[r][0]}));
        end
        for (c = 0; c < COLS; c = c + 1) begin : top
            wire [LANES-1:0] column;
            for (l = 0; l < PER_CYCLE; l = l + 1) begin : lane
                assign column[l*16 +: 16] = weights[(l*8 + c)*16 +: 16];
            end
            delay #(.WIDTH(9 + LANES), .STAGES(c)) skew (.clock(clock),
                .in({push, push_index, column}),
                .out({pushes[0][c], index[0][c], lanes[0][c]}));
            assign sum[0][c] = 0;
        end
        for (r = 0; r < ROWS; r = r + 1) begin : down
            for (c = 0; c < COLS; c = c + 1) begin : across
                mxu_pe #(.ROW(r), .BUFFERS(BUFFERS), .PER_CYCLE(PER_CYCLE)) pe (
                    .clock(clock), .valid_in(valid[r][c]), .swap_in(swaps[r][c]), .a_in(a[r][c]),
                    .sum_in(sum[r][c]), .push_in(pushes[r][c]), .index_in(index[r][c]),
                    .weights_in(lanes[r][c]), .valid(valid[r][c+1]), .swap(swaps[r][c+1]),
                    .a(a[r][c+1]), .sum(sum[r+1][c]), .push(pushes[r+1][c]),
                    .index(index[r+1][c]), .weights(lanes[r+1][c]));
            end
        end
        for (c = 0; c < 8; c = c + 1) begin : bottom
            if (c < COLS) begin : used
                delay #(.WIDTH(32), .STAGES(COLS - 1 - c)) level (.clock(clock),
                    .in(sum[ROWS][c]), .out(results[c*32 +: 32]));
            end else begin : none
                assign results[c*32 +: 32] = 0;
            end
        end
    endgenerate
    assign result_valid = valid[ROWS-1][COLS];
endmodule
