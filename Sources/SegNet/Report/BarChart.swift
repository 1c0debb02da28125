/// How often values fall into equal parts of a range, as inline SVG.
package struct BarChart {
    package var title: String
    package var xTitle: String
    /// One bar each: what it stands for, how high it is.
    package var bars: [(name: String, count: Int)]
    /// Texts below the bars' edges, one more than there are bars.
    package var edges: [String]
    package var width = 460.0
    package var height = 260.0

    package init(_ title: String, xTitle: String, bars: [(name: String, count: Int)], edges: [String]) {
        self.title = title
        self.xTitle = xTitle
        self.bars = bars
        self.edges = edges
    }

    /// Counts shares 0...1 in tenths.
    package init(_ title: String, xTitle: String, shares: [Double]) {
        var counts = [Int](repeating: 0, count: 10)
        for share in shares where (0...1).contains(share) { counts[min(9, Int(share * 10))] += 1 }
        self.init(
            title,
            xTitle: xTitle,
            bars: counts.enumerated().map { ("\($0 * 10)-\($0 * 10 + 10) %", $1) },
            edges: (0...10).map { "\($0 * 10)" }
        )
    }

    package var svg: String {
        let (left, right, top, bottom) = (14.0, 14.0, 22.0, 40.0)
        let slot = (width - left - right) / Double(max(bars.count, 1))
        let highest = Double(max(bars.map(\.count).max() ?? 0, 1))
        let number = LineChart.number
        var parts: [String] = []
        for (index, bar) in bars.enumerated() {
            let length = Double(bar.count) / highest * (height - top - bottom)
            let x = left + (Double(index) + 0.5) * slot
            parts.append(
                "<rect class=\"bar\" x=\"\(number(x - slot * 0.4))\" y=\"\(number(height - bottom - length))\" "
                    + "width=\"\(number(slot * 0.8))\" height=\"\(number(length))\">"
                    + "<title>\(HTML.escaped(bar.name)): \(Numbers.grouped(bar.count))</title></rect>"
            )
            if bar.count > 0 {
                parts.append(
                    "<text class=\"tick\" x=\"\(number(x))\" y=\"\(number(height - bottom - length - 5))\" "
                        + "text-anchor=\"middle\">\(Numbers.grouped(bar.count))</text>"
                )
            }
        }
        for (index, edge) in edges.enumerated() {
            parts.append(
                "<text class=\"tick\" x=\"\(number(left + Double(index) * slot))\" y=\"\(number(height - bottom + 15))\" "
                    + "text-anchor=\"middle\">\(HTML.escaped(edge))</text>"
            )
        }
        parts.append(
            "<path class=\"grid\" d=\"M\(number(left)) \(number(height - bottom))H\(number(width - right))\"/>"
        )
        parts.append(
            "<text class=\"tick\" x=\"\(number(width / 2))\" y=\"\(number(height - 6))\" text-anchor=\"middle\">"
                + "\(HTML.escaped(xTitle))</text>"
        )
        return "<figure class=\"chart\"><figcaption>\(HTML.escaped(title))</figcaption>"
            + "<svg viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\" aria-label=\"\(HTML.escaped(title))\">"
            + parts.joined(separator: "\n") + "</svg></figure>\n"
    }
}
