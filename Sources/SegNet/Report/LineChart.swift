/// Lines over a common axis, as inline SVG. Colours come from the page's style sheet (`.line0`, `.line1` ...), so that a chart is dark
/// where the page is.
package struct LineChart {
    package struct Series {
        package var name: String
        /// In the order of x.
        package var points: [(x: Double, y: Double)]
        /// A point that is marked and named.
        package var mark: (x: Double, y: Double, text: String)?

        package init(
            _ name: String,
            _ points: [(x: Double, y: Double)],
            mark: (x: Double, y: Double, text: String)? = nil
        ) {
            self.name = name
            self.points = points
            self.mark = mark
        }
    }

    package var title: String
    package var xTitle: String
    package var series: [Series]
    /// Follows the numbers of the y axis: " %".
    package var unit: String
    /// Begins the y axis at 0.
    package var includesZero: Bool
    /// The ends of the x axis; nil: those of the points. Charts of one run share theirs.
    package var xRange: [Double]?
    package var width = 460.0
    package var height = 260.0

    package init(_ title: String, xTitle: String, series: [Series], unit: String = "", includesZero: Bool = false) {
        self.title = title
        self.xTitle = xTitle
        self.series = series
        self.unit = unit
        self.includesZero = includesZero
    }

    /// Points are few enough to be drawn: where there are more, each is the mean of its neighbours.
    package static func thinned(_ points: [(x: Double, y: Double)], to count: Int = 300) -> [(x: Double, y: Double)] {
        guard points.count > count, count > 0 else { return points }
        return (0..<count).map { index in
            let group = points[index * points.count / count..<(index + 1) * points.count / count]
            let share = 1 / Double(group.count)
            return (group.reduce(0) { $0 + $1.x } * share, group.reduce(0) { $0 + $1.y } * share)
        }
    }

    /// The chart as a figure of a page, with a legend where there is more than one line.
    package var svg: String {
        let shown = drawn
        let legend =
            shown.count > 1
            ? "<div class=\"legend\">"
                + shown.enumerated().map {
                    "<span><i class=\"key\($0 % Self.colorCount)\"></i>\(HTML.escaped($1.name))</span>"
                }.joined() + "</div>" : ""
        return "<figure class=\"chart\"><figcaption>\(HTML.escaped(title))</figcaption>"
            + "<svg viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\" role=\"img\" aria-label=\"\(HTML.escaped(title))\">"
            + drawing + "</svg>" + legend + "</figure>\n"
    }

    private var drawn: [Series] {
        series.map { Series($0.name, $0.points.filter { $0.x.isFinite && $0.y.isFinite }, mark: $0.mark) }
    }

    /// Axes, lines and marks, as SVG elements.
    private var drawing: String {
        let shown = drawn
        let xs = ChartAxis(xRange ?? shown.flatMap { $0.points.map(\.x) }, count: 6, isTight: true)
        let ys = ChartAxis(shown.flatMap { $0.points.map(\.y) }, count: 5, includingZero: includesZero)
        let (left, right, top, bottom) = (52.0, 14.0, 14.0, 40.0)
        let x = { (value: Double) in left + xs.place(value) * (width - left - right) }
        let y = { (value: Double) in height - bottom - ys.place(value) * (height - top - bottom) }
        var parts: [String] = []
        for tick in ys.ticks {
            let (at, text) = (Self.number(y(tick)), Self.tick(tick, ys.digits) + unit)
            parts.append("<path class=\"grid\" d=\"M\(Self.number(left)) \(at)H\(Self.number(width - right))\"/>")
            parts.append(
                "<text class=\"tick\" x=\"\(Self.number(left - 6))\" y=\"\(at)\" dy=\".35em\" text-anchor=\"end\">\(text)</text>"
            )
        }
        for tick in xs.ticks {
            let at = Self.number(x(tick))
            parts.append(
                "<text class=\"tick\" x=\"\(at)\" y=\"\(Self.number(height - bottom + 15))\" text-anchor=\"middle\">"
                    + "\(Self.tick(tick, xs.digits))</text>"
            )
        }
        parts.append(
            "<text class=\"tick\" x=\"\(Self.number((left + width - right) / 2))\" y=\"\(Self.number(height - 6))\" "
                + "text-anchor=\"middle\">\(HTML.escaped(xTitle))</text>"
        )
        for (index, line) in shown.enumerated() where !line.points.isEmpty {
            let path = line.points.enumerated().map {
                ($0.offset == 0 ? "M" : "L") + "\(Self.number(x($0.element.x))) \(Self.number(y($0.element.y)))"
            }
            // A single point is a dot: a path of no length shows nothing.
            if line.points.count == 1 {
                let point = line.points[0]
                parts.append(
                    "<circle class=\"dot\(index % Self.colorCount)\" cx=\"\(Self.number(x(point.x)))\" cy=\"\(Self.number(y(point.y)))\" r=\"3\"/>"
                )
            }
            parts.append(
                "<path class=\"line line\(index % Self.colorCount)\" d=\"\(path.joined())\"><title>\(HTML.escaped(line.name))</title></path>"
            )
            if let mark = line.mark, mark.x.isFinite, mark.y.isFinite {
                // On the side where there is room.
                let isRight = xs.place(mark.x) > 0.6
                parts.append(
                    "<circle class=\"dot\(index % Self.colorCount)\" cx=\"\(Self.number(x(mark.x)))\" cy=\"\(Self.number(y(mark.y)))\" r=\"4\"/>"
                        + "<text class=\"mark\" x=\"\(Self.number(x(mark.x) + (isRight ? -7 : 7)))\" "
                        + "y=\"\(Self.number(y(mark.y) + 16))\" text-anchor=\"\(isRight ? "end" : "start")\">"
                        + "\(HTML.escaped(mark.text))</text>"
                )
            }
        }
        return parts.joined(separator: "\n")
    }

    /// The chart as an SVG file of its own, with its title and legend, dark text on white.
    package var standaloneSVG: String {
        let shown = drawn
        let (top, row) = (26.0, 18.0)
        let total = height + top + row * Double(shown.count) + 8
        let names = shown.enumerated().map { index, line in
            let y = Self.number(top + height + row * (Double(index) + 0.5))
            return "<path class=\"line line\(index % Self.colorCount)\" d=\"M52 \(y)h18\"/>"
                + "<text class=\"legend\" x=\"78\" y=\"\(y)\" dy=\".35em\">\(HTML.escaped(line.name))</text>"
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.number(width)) \(Self.number(total))" width="\(Self.number(width * 1.5))">
            <style>\(EvaluationPage.chartStyle)</style>
            <rect width="100%" height="100%" fill="#fff"/>
            <text class="title" x="14" y="18">\(HTML.escaped(title))</text>
            <g transform="translate(0 \(Self.number(top)))">\(drawing)</g>
            \(names.joined(separator: "\n"))
            </svg>

            """
    }

    /// Lines beyond these repeat colours.
    static let colorCount = 8

    /// A coordinate, to a tenth of a pixel.
    static func number(_ value: Double) -> String {
        let text = Numbers.fixed(value, 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// A tick's number; very small ones, as learning rates are, with an exponent.
    private static func tick(_ value: Double, _ digits: Int) -> String {
        guard digits > 4, value != 0 else { return Numbers.fixed(value, digits) }
        var (mantissa, exponent) = (value, 0)
        while abs(mantissa) < 1 - 1e-9 {
            mantissa *= 10
            exponent -= 1
        }
        let text = Numbers.fixed(mantissa, 1)
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + "e\(exponent)"
    }
}
