import SegNetToolkit
import Testing

@testable import SegNet

@Suite("A table of a comparison")
struct ComparisonTableTests {
    private static let table = ComparisonTable(
        title: "System",
        names: ["a|b", "<b>", "c"],
        columns: [
            .init("IoU", [.init(value: 50.04), .init(value: 50.01), .init(value: 9)]),
            .init("ms", best: .least, digits: 0, [.init(value: 3, published: 7), .init(), .init(value: 12)]),
            .init("alike", [.init(value: 1), .init(value: 1.01), .init(value: 1.04)]),
            .init("steps", best: nil, [.init(value: 1), .init(value: 2), .init(value: 3)]),
            .init("nothing", [.init(), .init(), .init()]),
        ]
    )

    @Test(
        "in Markdown: the best bold, what reads alike with it; published figures in a column of their own; no empty columns"
    )
    func markdown() {
        #expect(
            Self.table.markdown == """
                | System | IoU | ms | published | alike | steps |
                | --- | ---: | ---: | ---: | ---: | ---: |
                | a\\|b | **50.0** | **3** | 7 | 1.0 | 1.0 |
                | &lt;b> | **50.0** | - | - | 1.0 | 2.0 |
                | c | 9.0 | 12 | - | 1.0 | 3.0 |

                """
        )
    }

    @Test("in HTML: names escaped, published figures below the measured ones")
    func html() {
        let html = Self.table.html(marks: ["<i></i>"])
        #expect(html.contains("<td><i></i>a|b</td><td><b>50.0</b></td><td><b>3</b><small>7</small></td>"))
        #expect(html.contains("<td>&lt;b&gt;</td>") && !html.contains("nothing"))
    }

    @Test("of classes compares rows")
    func rows() {
        let table = ComparisonTable(
            title: "Class",
            names: ["sky", "road"],
            columns: [
                .init("A", [.init(value: 90), .init(value: 20)]), .init("B", [.init(value: 80), .init(value: 30)]),
            ],
            comparesRows: true
        )
        #expect(table.markdown.contains("| sky | **90.0** | 80.0 |\n| road | 20.0 | **30.0** |"))
    }
}
