import CSegNetKernels
import Foundation
import SegNetFormats
import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetRefinement

/// What Krähenbühl's library (through pydensecrf) answered: all of it beside the repository, in `../shared/oracle/competitors/crf`; some in
/// `Tests/Golden/crf`.
enum CRFOracle {
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let small = package.appending(path: "Tests/Golden/crf")
    static let shared = package.appending(path: "../shared/oracle/competitors/crf").standardizedFileURL
    static var isThere: Bool { FileManager.default.fileExists(atPath: shared.appending(path: "crf.json").path) }

    /// w1, sigma-alpha, sigma-beta, w2, sigma-gamma
    static let sets = [
        "deeplab_script": "4,49,5,3,3", "demo": "10,60,20,3,3", "largefov": "4,121,5,3,3", "weak": "0.8,15,8,0.4,2",
    ]

    /// The answers in a folder, such as `demo.after.5.step3.npy`, without what is exact.
    static func answers(_ folder: URL) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".npy") && $0.split(separator: ".").count == 5 && !$0.contains(".exact.") }
            .sorted()
    }

    static func planes(_ url: URL) throws -> (values: [Float], classes: Int) {
        let file = try NPYFile(url)
        let (height, width, classes) = (file.shape[0], file.shape[1], file.shape[2])
        let values = file.floats()
        let planes = (0..<classes).flatMap { k in (0..<height * width).map { values[$0 * classes + k] } }
        return (planes, classes)
    }

    /// Compares one answer by the bars of the oracle's page.
    static func check(_ folder: URL, _ name: String, _ set: InstructionSet, threads: Int) throws {
        let words = name.split(separator: ".").map(String.init)
        let step = words[3].hasPrefix("step") ? Int(words[3].dropFirst(4)) ?? 1 : 1
        var crf = try DenseCRF(try #require(sets[words[0]]) + ",\(words[2])")
        crf.normalization = try #require(DenseCRF.Normalization(rawValue: words[1]))
        let picture = try Image(contentsOf: folder.appending(path: "image.png"))
        let (probabilities, classes) = try planes(folder.appending(path: "probabilities.npy"))
        let found = try crf.refine(
            probabilities: probabilities,
            classCount: classes,
            picture: picture,
            threads: threads,
            instructionSet: set
        )
        let expected = try NPYFile(folder.appending(path: name)).floats()
        var errors: [Double] = []
        for y in stride(from: 0, to: picture.height, by: step) {
            for x in stride(from: 0, to: picture.width, by: step) {
                for k in 0..<classes {
                    let value = found.probabilities[(k * picture.height + y) * picture.width + x]
                    errors.append(abs(Double(value) - Double(expected[errors.count])))
                }
            }
        }
        #expect(errors.count == expected.count)
        #expect(errors.reduce(0, +) / Double(errors.count) <= 1e-5)
        #expect(errors.allSatisfy { $0 <= 2e-3 })
        #expect(errors.count { $0 <= 1e-4 } >= errors.count * 999 / 1000)
        let classesFile = folder.appending(path: words[0..<3].joined(separator: ".") + ".argmax.png")
        guard FileManager.default.fileExists(atPath: classesFile.path) else { return }
        let ids = try LabelMap(contentsOf: classesFile).ids
        let equal = zip(ids, found.classes.ids).count { $0 == $1 }
        #expect(Double(equal) >= 0.9995 * Double(ids.count))
    }

    /// One raw pass, before any normalisation.
    static func checkFilter(_ folder: URL, _ set: InstructionSet) throws {
        let picture = try Image(contentsOf: folder.appending(path: "image.png"))
        let values = try NPYFile(folder.appending(path: "filter.values.npy")).floats()
        let kernels = [GaussianKernel(position: 15, color: 8), GaussianKernel(position: 2)]
        let filters = try LatticeFilters(
            picture: picture,
            kernels,
            set.kernels.lattice.pointee,
            pool: ThreadPool(threadCount: 2)
        )
        #expect(filters.lattices.map(\.points.count) == [567, 150])
        let pixels = filters.pixelCount
        let (rows, out) = (try AlignedMemory(byteCount: pixels * 32), try AlignedMemory(byteCount: pixels * 32))
        for pixel in 0..<pixels { for k in 0..<3 { rows.floats()[8 * pixel + k] = values[3 * pixel + k] } }
        for (index, name) in ["bilateral", "gaussian"].enumerated() {
            try filters.filter(rows.floats(), values: 8, with: index, into: out.floats())
            let expected = try NPYFile(folder.appending(path: "filter.\(name).lattice.npy")).floats()
            let greatest = expected.map(abs).max() ?? 0
            for pixel in 0..<pixels {
                for k in 0..<3 {
                    #expect(abs(out.floats()[8 * pixel + k] - expected[3 * pixel + k]) <= 1e-5 * greatest)
                }
            }
        }
    }
}

@Suite("dense CRF as Krähenbühl's library computes it")
struct CRFGoldenTests {
    @Test(
        "marginals and classes",
        arguments: InstructionSet.available,
        ["a", "tiny"].flatMap { folder in
            CRFOracle.answers(CRFOracle.small.appending(path: folder)).map { "\(folder)/\($0)" }
        }
    )
    func marginals(set: InstructionSet, name: String) throws {
        let parts = name.split(separator: "/").map(String.init)
        try CRFOracle.check(CRFOracle.small.appending(path: parts[0]), parts[1], set, threads: 2)
    }

    @Test("there are answers to compare with")
    func answers() {
        #expect(CRFOracle.answers(CRFOracle.small.appending(path: "tiny")).count == 12)
        #expect(CRFOracle.answers(CRFOracle.small.appending(path: "a")).count == 2)
    }

    @Test("one raw filter pass", arguments: InstructionSet.available)
    func filter(set: InstructionSet) throws {
        try CRFOracle.checkFilter(CRFOracle.small.appending(path: "tiny"), set)
    }
}

@Suite(
    "dense CRF on all recorded pictures",
    .enabled(if: CRFOracle.isThere, "../shared/oracle/competitors is not here")
)
struct CRFOracleTests {
    @Test(
        "marginals and classes",
        arguments: ["a", "b", "c", "tiny"].flatMap { folder in
            CRFOracle.answers(CRFOracle.shared.appending(path: folder)).map { "\(folder)/\($0)" }
        }
    )
    func marginals(name: String) throws {
        let parts = name.split(separator: "/").map(String.init)
        for set in InstructionSet.available {
            try CRFOracle.check(CRFOracle.shared.appending(path: parts[0]), parts[1], set, threads: 1)
        }
    }

    @Test("the exact sums of the tests are the oracle's")
    func exact() throws {
        let folder = CRFOracle.shared.appending(path: "tiny")
        let picture = try Image(contentsOf: folder.appending(path: "image.png"))
        let values = try NPYFile(folder.appending(path: "filter.values.npy")).floats()
        let rows = (0..<values.count / 3).map { pixel in (0..<3).map { Double(values[3 * pixel + $0]) } }
        for (name, color) in [("bilateral", 8.0), ("gaussian", nil)] {
            let features = Reference.features(picture, position: color == nil ? 2 : 15, color: color)
            let found = Reference.exact(features)(rows)
            let expected = try NPYFile(folder.appending(path: "filter.\(name).exact.npy")).floats().map(Double.init)
            let greatest = expected.map(abs).max() ?? 0
            #expect(differences(found, [expected]).greatest <= 1e-6 * greatest)
        }
    }
}
