/// Text for HTML and SVG.
package enum HTML {
    /// Text as it may stand between tags and inside quoted attributes, whatever it holds: names of classes and files are a user's.
    package static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            // Not allowed in HTML, and of no use in a name.
            case "\u{0}"..."\u{8}", "\u{B}"..."\u{1F}", "\u{7F}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `<tag attributes>content</tag>`; the content is HTML already.
    package static func element(_ tag: String, _ attributes: String = "", _ content: String) -> String {
        "<\(tag)\(attributes.isEmpty ? "" : " " + attributes)>\(content)</\(tag)>"
    }

    /// A row of cells that are HTML already.
    package static func row(_ cells: [String], tag: String = "td") -> String {
        "<tr>" + cells.map { element(tag, "", $0) }.joined() + "</tr>\n"
    }
}
