// fp.v - bf16 multiply and f32 add: round to nearest even, subnormals kept, one NaN.

// How many zeros stand before the first one; of 27 at most.  In halves, not a loop: there
// are two of these in every PE, and Verilator writes loops out.
module leading_zeros (input [26:0] x, output reg [4:0] zeros);
    reg [26:0] t;
    always @* begin
        t = x;
        zeros = 0;
        if (t[26:11] == 0) begin zeros = zeros + 16; t = t << 16; end
        if (t[26:19] == 0) begin zeros = zeros + 8;  t = t << 8;  end
        if (t[26:23] == 0) begin zeros = zeros + 4;  t = t << 4;  end
        if (t[26:25] == 0) begin zeros = zeros + 2;  t = t << 2;  end
        if (!t[26])              zeros = zeros + 1;
    end
endmodule

// The product of two bf16 as f32.  8 x 8 bits fit 24, so only a subnormal result rounds.
module bf16_multiply (input [15:0] a, input [15:0] b, output reg [31:0] p);
    /*verilator no_inline_module*/      // compiles three times as fast

    wire sign = a[15] ^ b[15];
    wire a_nan = a[14:7] == 8'hff && a[6:0] != 0, a_inf = a[14:0] == 15'h7f80;
    wire b_nan = b[14:7] == 8'hff && b[6:0] != 0, b_inf = b[14:0] == 15'h7f80;
    wire a_zero = a[14:0] == 0, b_zero = b[14:0] == 0;
    wire [7:0] a_significand = {a[14:7] != 0, a[6:0]};
    wire [7:0] b_significand = {b[14:7] != 0, b[6:0]};
    wire [15:0] product = a_significand * b_significand;

    // Value: product * 2^(ea + eb - 268), where a subnormal's exponent counts as 1.
    wire [9:0] exponents = {2'b0, a[14:7]} + {9'b0, a[14:7] == 0}
                         + {2'b0, b[14:7]} + {9'b0, b[14:7] == 0};

    wire [4:0] zeros;
    leading_zeros count (.x({product, 11'h7ff}), .zeros(zeros));

    reg [23:0] significand;         // product with its leading one at bit 23
    reg signed [31:0] exponent;     // of the result, as in its field
    reg [31:0] lower;               // places that a subnormal is lower than that
    reg [48:0] shifted;             // a subnormal's significand, and what falls off below
    always @* begin
        significand = {product, 8'b0} << zeros;
        exponent = $signed({22'b0, exponents}) - 126 - $signed({27'b0, zeros});
        lower = exponent > 0 ? 0 : exponent < -24 ? 26 : 1 - exponent;
        shifted = {significand, 25'b0} >> lower;

        if (a_nan || b_nan || (a_inf && b_zero) || (a_zero && b_inf))
            p = 32'h7fc00000;
        else if (a_inf || b_inf || (exponent > 254 && product != 0))
            p = {sign, 31'h7f800000};
        else if (a_zero || b_zero)
            p = {sign, 31'b0};
        else if (exponent > 0)
            p = {sign, exponent[7:0], significand[22:0]};
        else    // a carry out of the fraction makes it the smallest normal number
            p = {sign, 7'b0, shifted[48:25] + {23'b0,
                 shifted[24] && (shifted[23:0] != 0 || shifted[25])}};
    end
endmodule

module f32_add (input [31:0] a, input [31:0] b, output reg [31:0] s);
    /*verilator no_inline_module*/

    wire a_nan = a[30:23] == 8'hff && a[22:0] != 0, a_inf = a[30:0] == 31'h7f800000;
    wire b_nan = b[30:23] == 8'hff && b[22:0] != 0, b_inf = b[30:0] == 31'h7f800000;
    wire swap = a[30:0] < b[30:0];
    wire [31:0] most = swap ? b : a, least = swap ? a : b;
    wire subtract = a[31] ^ b[31];

    reg [8:0] exponent;
    reg [7:0] distance, left;
    reg [27:0] x, y, lost;          // carry, 24 bits, and three below: guard, round, sticky
    reg [23:0] rounded;
    reg carry;
    wire [4:0] zeros;
    leading_zeros count (.x(x[26:0]), .zeros(zeros));

    always @* begin
        exponent = {1'b0, most[30:23]} + {8'b0, most[30:23] == 0};
        distance = exponent[7:0] - (least[30:23] + {7'b0, least[30:23] == 0});
        y = {1'b0, least[30:23] != 0, least[22:0], 3'b0};
        lost = distance > 27 ? y : y & ~(28'hfffffff << distance);
        y = (y >> distance) | {27'b0, lost != 0};
        x = {1'b0, most[30:23] != 0, most[22:0], 3'b0};
        x = subtract ? x - y : x + y;
    end

    // Back to a leading one at bit 26, as far as the exponent goes down; then round.
    reg [8:0] level;
    reg [27:0] n;
    always @* begin
        left = {3'b0, zeros} < exponent[7:0] ? {3'b0, zeros} : exponent[7:0] - 1;
        n = x[27] ? (x >> 1) | {27'b0, x[0]} : x << left;
        level = x[27] ? exponent + 1 : exponent - {1'b0, left};
        {carry, rounded} = {1'b0, n[26:3]} + {24'b0, n[2] && (n[1:0] != 0 || n[3])};
        if (carry) begin
            rounded = 24'h800000;
            level = level + 1;
        end

        if (a_nan || b_nan || (a_inf && b_inf && subtract))
            s = 32'h7fc00000;
        else if (a_inf || b_inf || level > 254)
            s = {most[31], 31'h7f800000};
        else if (x == 0)
            s = {a[31] & b[31], 31'b0};
        else
            s = {most[31], rounded[23] ? level[7:0] : 8'b0, rounded[22:0]};
    end
endmodule

// What a PE does to a partial sum.
module bf16_multiply_add (input [15:0] a, input [15:0] b, input [31:0] c, output [31:0] s);
    wire [31:0] product;
    bf16_multiply multiply (.a(a), .b(b), .p(product));
    f32_add       add      (.a(c), .b(product), .s(s));
endmodule
