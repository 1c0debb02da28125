/// A table of a comparison, for HTML and for Markdown: one row per system, one column per figure, each next to what was published.
struct ComparisonTable {
    /// A measured figure.
    struct Cell {
        /// Nil: there is none yet.
        var value: Double?
        var published: Double?
    }

    struct Column {
        var title: String
        /// Which end is the best; nil: neither.
        var best: Best?
        var digits: Int
        var cells: [Cell]

        enum Best { case greatest, least }

        init(_ title: String, best: Best? = .greatest, digits: Int = 1, _ cells: [Cell]) {
            self.title = title
            self.best = best
            self.digits = digits
            self.cells = cells
        }

        fileprivate var hasPublished: Bool { cells.contains { $0.published != nil } }
        fileprivate var isEmpty: Bool { cells.allSatisfy { $0.value == nil && $0.published == nil } }

        fileprivate func text(_ value: Double?) -> String { value.map { Numbers.fixed($0, digits) } ?? "-" }
    }

    /// The heading of the first column.
    var title: String
    var names: [String]
    var columns: [Column]
    /// Whether the best of each row is sought, not of each column.
    var comparesRows = false

    /// Whether a cell of the shown columns holds the best measured figure; none where all are equal.
    private func isBest(_ row: Int, _ column: Int) -> Bool {
        let (digits, best) = (shown[column].digits, shown[column].best)
        let cells = comparesRows ? shown.map { $0.cells[row] } : shown[column].cells
        let values = cells.compactMap(\.value)
        guard let best, let own = shown[column].cells[row].value, let least = values.min(), let greatest = values.max()
        else { return false }
        // Values that print alike count as equal.
        let words = [own, least, greatest].map { Numbers.fixed($0, digits) }
        return words[1] != words[2] && words[0] == (best == .greatest ? words[2] : words[1])
    }

    private var shown: [Column] { columns.filter { !$0.isEmpty } }

    /// - Parameter marks: HTML before each name, such as a swatch; empty: none.
    func html(marks: [String] = []) -> String {
        var rows = "<thead>" + HTML.row([HTML.escaped(title)] + shown.map { HTML.escaped($0.title) }, tag: "th")
        rows += "</thead>\n<tbody>"
        for (row, name) in names.enumerated() {
            let mark = marks.indices.contains(row) ? marks[row] : ""
            let cells = shown.enumerated().map { index, column in
                let cell = column.cells[row]
                var text = column.text(cell.value)
                if isBest(row, index) { text = "<b>\(text)</b>" }
                guard column.hasPublished else { return text }
                return text + "<small>\(column.text(cell.published))</small>"
            }
            rows += HTML.row([mark + HTML.escaped(name)] + cells)
        }
        return "<div class=\"scroll\">" + HTML.element("table", "class=\"compared\"", rows + "</tbody>") + "</div>\n"
    }

    var markdown: String {
        let titles = shown.flatMap { $0.hasPublished ? [$0.title, "published"] : [$0.title] }
        var lines = [
            "| " + ([title] + titles).map(Self.escaped).joined(separator: " | ") + " |",
            "| --- |" + String(repeating: " ---: |", count: titles.count),
        ]
        for (row, name) in names.enumerated() {
            let cells = shown.enumerated().flatMap { index, column in
                let cell = column.cells[row]
                let text = column.text(cell.value)
                return [isBest(row, index) ? "**\(text)**" : text]
                    + (column.hasPublished ? [column.text(cell.published)] : [])
            }
            lines.append("| " + ([Self.escaped(name)] + cells).joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Text as it may stand in a cell, whatever it holds.
    static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("|", with: "\\|").replacing("<", with: "&lt;")
            .replacing("\n", with: " ")
    }
}
