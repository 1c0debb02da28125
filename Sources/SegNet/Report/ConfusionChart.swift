internal import SegNetEvaluation

/// A confusion matrix as inline SVG: one row per true class, coloured by its share; counts on hover.
package struct ConfusionChart {
    package var matrix: ConfusionMatrix
    package var names: [String]

    package init(_ matrix: ConfusionMatrix, names: [String]) {
        self.matrix = matrix
        self.names = names
    }

    /// Beyond so many classes, numbers do not fit into the cells.
    private static let mostNumbers = 24

    package var svg: String {
        let count = names.count
        let cell = count <= 12 ? 46.0 : count <= Self.mostNumbers ? 34 : 20
        let longest = Double(names.map(\.count).max() ?? 0)
        let side = min(max(60, longest * 7 + 14), 190)
        let number = LineChart.number
        let (width, height) = (side + Double(count) * cell + 24, side + Double(count) * cell + 6)
        var parts: [String] = []
        for (index, name) in names.enumerated() {
            let shown = HTML.escaped(Self.shortened(name))
            let middle = side + (Double(index) + 0.5) * cell
            parts.append(
                "<text class=\"name\" x=\"\(number(side - 7))\" y=\"\(number(middle))\" dy=\".35em\" text-anchor=\"end\">\(shown)</text>"
            )
            parts.append(
                "<text class=\"name\" transform=\"translate(\(number(middle)) \(number(side - 8))) rotate(-55)\">\(shown)</text>"
            )
        }
        for truth in 0..<count {
            let all = matrix.truePixels(truth)
            for given in 0..<count {
                let pixels = matrix[truth, given]
                let share = all > 0 ? Double(pixels) / Double(all) : 0
                let (x, y) = (side + Double(given) * cell, side + Double(truth) * cell)
                let words =
                    all > 0
                    ? "\(names[truth]) predicted as \(names[given]): \(Numbers.fixed(share * 100, 2)) % of \(names[truth]), "
                        + "\(Numbers.grouped(pixels)) pixels" : "\(names[truth]): no such pixels in the truth"
                parts.append(
                    "<g><title>\(HTML.escaped(words))</title><rect class=\"\(truth == given ? "right" : "wrong")\" "
                        + "x=\"\(number(x + 1))\" y=\"\(number(y + 1))\" width=\"\(number(cell - 2))\" height=\"\(number(cell - 2))\" "
                        + "rx=\"3\" fill-opacity=\"\(Numbers.fixed(share.squareRoot() * 0.92, 3))\"/>"
                        + "<rect class=\"cell\" x=\"\(number(x + 1))\" y=\"\(number(y + 1))\" width=\"\(number(cell - 2))\" "
                        + "height=\"\(number(cell - 2))\" rx=\"3\"/>"
                        + text(share, all, x + cell / 2, y + cell / 2) + "</g>"
                )
            }
        }
        return
            "<div class=\"scroll\"><svg class=\"matrix\" viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\" "
            + "style=\"width:\(number(width))px\" "
            + "aria-label=\"Confusion matrix, one row per true class\">" + parts.joined(separator: "\n")
            + "</svg></div>\n"
    }

    /// The share in per cent, where there is room and something to say.
    private func text(_ share: Double, _ all: Int, _ x: Double, _ y: Double) -> String {
        guard names.count <= Self.mostNumbers, all > 0, share >= 0.005 else { return "" }
        let strong = share.squareRoot() * 0.92 > 0.55 ? " on" : ""
        return "<text class=\"share\(strong)\" x=\"\(LineChart.number(x))\" y=\"\(LineChart.number(y))\" dy=\".35em\" "
            + "text-anchor=\"middle\">\(Numbers.fixed(share * 100, 0))</text>"
    }

    private static func shortened(_ name: String) -> String {
        name.count > 24 ? name.prefix(23) + "…" : name
    }
}
