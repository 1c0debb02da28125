import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("A comparison whose plan changes labels")
struct ComparisonLabelsTests {
    @Test("scores and shows systems that predict a class that the plan makes void")
    func void() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let comparison = try SystemComparisonTests.onFiles(folder)
        try SystemComparisonTests.train(comparison)
        let mask = comparison.systems[0].folder.appending(path: "masks/p0.png").path
        try comparison.evaluate(comparison.systems[0], threads: 1)
        let predicted = try LabelMap(path: mask).ids[0]
        var plan = comparison.plan
        plan.overrides.append(.init("map", "{\(predicted): void}"))
        let changed = try SystemComparison(plan, output: comparison.output)
        #expect(try changed.evaluate(changed.systems[0], threads: 1))
        // Void in the table camvid11.
        #expect(try LabelMap(path: mask).ids[0] == 11)
        let html = try String(contentsOf: changed.writePages(threads: 1).html, encoding: .utf8)
        #expect(html.contains("--map \(predicted)=void"))
    }
}
