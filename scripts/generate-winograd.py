#!/usr/bin/env python3
"""Prints the one-dimensional Winograd transforms as C: Sources/CSegNetKernels/winograd_transforms.inc.h.

    python3 scripts/generate-winograd.py > Sources/CSegNetKernels/winograd_transforms.inc.h

F(m, r) computes m outputs y[i] = sum over k of g[k] d[i + k] with n = m + r - 1 multiplications:
y = A^T ((G g) * (B^T d)). It multiplies polynomials by their values at n - 1 points p and "at infinity":

    A^T[i][j] = p_j^i                                                  infinity: 1 in the last row
    G[j][k]   = p_j^k / product over l != j of (p_j - p_l)             infinity: 1 in the last column
    B^T[j]    = coefficients of product over l != j of (x - p_l)       infinity: the product over all l

(Lavin and Gray, arXiv 1509.09308; Winograd, "Arithmetic Complexity of Computations", 1980.) The points decide how much
rounding errors grow; they must be 0 and pairs +p, -p. Each pair shares its even and its odd part, so that two rows cost
little more than one. All is done in fractions, and two things are proved before anything is printed: that the matrices give
the direct sum for every g and d, and that the printed statements are the matrices.
"""

import struct
from fractions import Fraction

# m, r, the positive one of each pair of points.
# F(6,3), F(2,7), F(4,5): the customary points. F(4,3): half the error of 1, 2. F(4,7): the best found by random search over
# fractions with small denominators; with 1, 2, 1/2, 3 the error is ten times as large.
SETS = [
    (6, 3, ["1", "2", "1/2"]),
    (4, 3, ["5/8", "3/2"]),
    (4, 7, ["2/5", "4/5", "5/4", "2"]),
    (2, 7, ["1", "2", "1/2"]),
    (4, 5, ["1", "2", "1/2"]),
]


def times(a, b):
    """The product of two polynomials, coefficients ascending."""
    product = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    return product


def monic(roots):
    polynomial = [Fraction(1)]
    for root in roots:
        polynomial = times(polynomial, [-root, Fraction(1)])
    return polynomial


def matrices(points, m, r):
    """A^T [m][n], G [n][r], B^T [n][n]."""
    a = [[p**i for p in points] + [Fraction(int(i == m - 1))] for i in range(m)]
    g, b = [], []
    for j, p in enumerate(points):
        others = points[:j] + points[j + 1 :]
        divisor = Fraction(1)
        for q in others:
            divisor *= p - q
        g.append([p**k / divisor for k in range(r)])
        b.append(monic(others) + [Fraction(0)])
    g.append([Fraction(int(k == r - 1)) for k in range(r)])
    b.append(monic(points))
    return a, g, b


def transposed(matrix):
    return [list(column) for column in zip(*matrix)]


def prove_matrices(a, g, b):
    """y[i] must contain g[k] d[j] exactly once if j = i + k, else not at all."""
    m, n, r = len(a), len(b), len(g[0])
    for i in range(m):
        for k in range(r):
            for j in range(n):
                total = sum(a[i][p] * g[p][k] * b[p][j] for p in range(n))
                assert total == int(j == i + k), (m, r, i, k, j)


class Function:
    """A C function o = matrix * d, written statement by statement and evaluated in fractions at the same time."""

    def __init__(self, name, inputs):
        self.inputs = inputs
        self.lines = [f"SN_INLINE void {name}(const vf *d, vf *o) {{"]
        self.values = {f"d[{i}]": [Fraction(int(i == j)) for j in range(inputs)] for i in range(inputs)}

    def set(self, target, terms, declare=False):
        """target = sum of coefficient * value. Plain sums first, so that each later term is one multiply-add."""
        terms = [(Fraction(c), name) for c, name in terms if c != 0]
        terms.sort(key=lambda term: {1: 0, -1: 1}.get(term[0], 2))
        text = ""
        for c, name in terms:
            sign = "-" if c < 0 else "+"
            product = name if abs(c) == 1 else f"{literal(abs(c))} * {name}"
            text = f"{text} {sign} {product}" if text else ("-" if c < 0 else "") + product
        self.values[target] = [sum(c * self.values[name][j] for c, name in terms) for j in range(self.inputs)]
        self.lines.append(f"    {'const vf ' if declare else ''}{target} = {text};")

    def finish(self, matrix):
        for i, row in enumerate(matrix):
            assert self.values[f"o[{i}]"] == row, (self.lines[0], i)
        return "\n".join(self.lines + ["}"])


def literal(fraction):
    """The nearest float32, in as many digits as bring it back."""
    value = struct.unpack("f", struct.pack("f", float(fraction)))[0]
    text = f"{value:.9g}"
    for digits in range(1, 9):
        short = f"{value:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(short)))[0] == value:
            text = short
            break
    return text + ("f" if "." in text or "e" in text else ".0f")


def paired_rows(name, matrix, points):
    """B^T, G or A: rows of +p and -p are even part + odd part and even part - odd part."""
    count = len(matrix[0])
    function = Function(name, count)

    def terms(row, columns=range(count), divisor=1):
        return [(row[i] / divisor, f"d[{i}]") for i in columns]

    for j, p in enumerate(points):
        if p < 0:
            continue
        row = matrix[j]
        if p == 0:
            function.set(f"o[{j}]", terms(row))
            continue
        # The columns in which the rows of p and -p agree, and those in which they differ by their sign.
        even = [i for i in range(count) if row[i] == matrix[j + 1][i]]
        odd = [i for i in range(count) if row[i] != matrix[j + 1][i]]
        scale = row[odd[-1]]
        function.set(f"even{j}", terms(row, even), declare=True)
        function.set(f"odd{j}", terms(row, odd, divisor=scale), declare=True)
        function.set(f"o[{j}]", [(1, f"even{j}"), (scale, f"odd{j}")])
        function.set(f"o[{j + 1}]", [(1, f"even{j}"), (-scale, f"odd{j}")])
    function.set(f"o[{len(matrix) - 1}]", terms(matrix[-1]))
    return function.finish(matrix)


def paired_columns(name, matrix, points):
    """A^T or G^T: even rows read sums of a pair, odd rows differences."""
    count = len(matrix[0])
    function = Function(name, count)
    positive = [j for j, p in enumerate(points) if p > 0]
    for j in positive:
        function.set(f"sum{j}", [(1, f"d[{j}]"), (1, f"d[{j + 1}]")], declare=True)
        function.set(f"difference{j}", [(1, f"d[{j}]"), (-1, f"d[{j + 1}]")], declare=True)
    for i, row in enumerate(matrix):
        part = "difference" if i % 2 else "sum"
        terms = [(row[count - 1], f"d[{count - 1}]")] + [(row[j], f"{part}{j}") for j in positive]
        function.set(f"o[{i}]", [(row[0], "d[0]")] + terms)
    return function.finish(matrix)


def main():
    print("//  Generated by scripts/generate-winograd.py, which explains and proves it. Never edit.")
    print("//  sn_input_transform: o = B^T d, sn_weight_transform: o = G d, sn_output_transform: o = A^T d.")
    print("//  Training: sn_gradient_transform: o = A d, sn_weight_gradient_transform: o = G^T d.")
    print("//  Rows 2i - 1 and 2i belong to a pair of points; row 0 and the last row stand alone.")
    print("\n#pragma STDC FP_CONTRACT ON")
    for m, r, positive in SETS:
        points = [Fraction(0)] + [sign * Fraction(p) for p in positive for sign in (1, -1)]
        assert len(points) == m + r - 2
        a, g, b = matrices(points, m, r)
        prove_matrices(a, g, b)
        print(f"\n// F({m},{r}), points 0, {', '.join('+-' + p for p in positive)}, infinity")
        print(paired_rows(f"sn_input_transform_{m}{r}", b, points))
        print(paired_rows(f"sn_weight_transform_{m}{r}", g, points))
        print(paired_columns(f"sn_output_transform_{m}{r}", a, points))
        print(paired_rows(f"sn_gradient_transform_{m}{r}", transposed(a), points))
        print(paired_columns(f"sn_weight_gradient_transform_{m}{r}", transposed(g), points))


if __name__ == "__main__":
    main()
