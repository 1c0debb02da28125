package import SegNetImages

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

    /// A colour of a class.
    package static func swatch(_ color: Color) -> String {
        "<i class=\"swatch\" style=\"background:rgb(\(color.red),\(color.green),\(color.blue))\"></i>"
    }

    /// A part of a page under a heading; the content is HTML already.
    package static func section(_ title: String, _ content: String) -> String {
        "<section>\n" + element("h2", "", escaped(title)) + "\n" + content + "</section>\n"
    }

    /// A whole page that needs no other file: nothing is fetched, nothing runs.
    /// - Parameter body: HTML.
    package static func page(_ title: String, style: String, _ body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <title>\(escaped(title))</title>
        <style>
        \(style)
        </style>
        </head>
        <body>
        <main>
        \(body)</main>
        </body>
        </html>

        """
    }
}
