import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet benchmark")
struct BenchmarkTests {
    private func document<Report: Decodable>(_ type: Report.Type, _ arguments: String...) throws -> Report {
        let result = segnet(["benchmark"] + arguments + ["--json"])
        #expect(result.exitCode == 0, "\(result.errors)")
        return try JSONDecoder().decode(type, from: Data(result.output.utf8))
    }

    struct Times: Decodable { var median, least, greatest: Double }

    struct Networks: Decodable {
        struct Network: Decodable {
            var name: String
            var width, height: Int
            var milliseconds: Times
            var multiplyAccumulates: Int
            var gigaflops, multipleOfPeak, nanosecondsPerPixel, workspaceBytesPerPixel: Double
            var weightBytes, workspaceBytes: Int
        }
        struct Memory: Decodable {
            var network, model, precision: String
            var peakBytes: Int
        }
        var peakGigaflops: Double
        var instructionSet, accuracy, precision: String
        var threads, repetitions: Int
        var networks: [Network]
        var memory: [Memory]
    }

    @Test("measures networks at several sizes if no other word is given")
    func networks() throws {
        let report = try document(
            Networks.self,
            "segnet-basic",
            "segnet",
            "--size",
            "64x48",
            "--size",
            "128x96",
            "--repeat",
            "2",
            "--no-memory"
        )
        #expect(report.peakGigaflops > 1)
        #expect(report.networks.map(\.name) == ["segnet-basic", "segnet-basic", "segnet", "segnet"])
        #expect(report.networks.map(\.width) == [64, 128, 64, 128])
        #expect(report.memory.isEmpty)
        for network in report.networks {
            #expect(abs(network.multipleOfPeak - network.gigaflops / report.peakGigaflops) < 1e-9)
            #expect(network.milliseconds.least <= network.milliseconds.median)
            let pixels = Double(network.width * network.height)
            #expect(abs(network.nanosecondsPerPixel - 1e6 * network.milliseconds.median / pixels) < 1e-6)
        }
    }

    @Test("writes the random models that it measures")
    func models() throws {
        let scratch = try ScratchFolder()
        _ = try document(
            Networks.self,
            "segnet-basic",
            "--size",
            "64x48",
            "--repeat",
            "1",
            "--no-memory",
            "--output",
            scratch("models")
        )
        let model = try SafetensorsFile.readModel(URL(filePath: scratch("models/segnet-basic.safetensors")))
        #expect(try model.network.summary().name == "segnet-basic")
        let again = ["benchmark", "networks", "segnet-basic", "--size", "64x48", "--repeat", "1", "--no-memory"]
        #expect(segnet(again + ["--output", scratch("models")]).exitCode == 0)
        // Somebody's own, for all that is known.
        try scratch.write("", "own/.keep")
        try scratch.model("own/segnet-basic.safetensors")
        let before = try Data(contentsOf: URL(filePath: scratch("own/segnet-basic.safetensors")))
        let refused = segnet(again + ["--output", scratch("own")])
        #expect(
            refused.exitCode == 64
                && refused.errors.contains(
                    "Please give '--output' another folder: \(scratch("own/segnet-basic.safetensors")) already exists and would be "
                        + "replaced by a model with random weights."
                ),
            "\(refused.errors)"
        )
        #expect(try Data(contentsOf: URL(filePath: scratch("own/segnet-basic.safetensors"))) == before)
    }

    struct Layers: Decodable {
        struct Network: Decodable {
            struct Layer: Decodable {
                struct Convolution: Decodable {
                    var algorithm, schedule: String
                    var multiplyAccumulates: Int
                }
                var name: String
                var convolution: Convolution?
                var multipleOfPeak: Double?
            }
            var name: String
            var milliseconds, runMilliseconds: Times
            var layers: [Layer]
        }
        var networks: [Network]
    }

    @Test("says of each layer what it takes and how it is computed")
    func layers() throws {
        let report = try document(
            Layers.self,
            "layers",
            "segnet",
            "segnet-basic",
            "--size",
            "64x48",
            "--repeat",
            "1",
            "--accuracy",
            "fast"
        )
        let (segNet, basic) = (report.networks[0], report.networks[1])
        #expect(segNet.layers.count == 27 && segNet.layers.last?.name == "argmax")
        // No layer's work is lost or counted twice.
        let network = Architecture.segNet.network(
            classes: 11,
            options: ArchitectureOptions(input: .bgr255(height: 48, width: 64))
        )
        let work = segNet.layers.reduce(0) { $0 + ($1.convolution?.multiplyAccumulates ?? 0) }
        #expect(work == (try network.summary()).multiplyAccumulates)
        #expect(segNet.layers.dropLast().allSatisfy { $0.multipleOfPeak != nil })
        #expect(segNet.layers.first { $0.name == "conv1_1" }?.convolution?.algorithm == "direct")
        #expect(segNet.layers.first { $0.name == "conv4_2" }?.convolution?.schedule.contains("outputs") == true)
        #expect(basic.layers.first { $0.name == "conv2" }?.convolution?.algorithm == "F(4,7)")
        let table = segnet("benchmark", "layers", "segnet-basic", "--size", "64x48", "--repeat", "1").output
        #expect(table.contains("an ordinary run, with bands"))
    }

    struct Kernels: Decodable {
        struct Kernel: Decodable {
            var name: String
            var microseconds: Times
            var gigaflops, shareOfPeak: Double?
            var gigabytesPerSecond: Double
        }
        var peakGigaflops: Double
        var kernels: [Kernel]
    }

    @Test("measures single kernels")
    func kernels() throws {
        let report = try document(Kernels.self, "kernels", "--repeat", "1")
        #expect(report.kernels.count == 4 + 5 * 3 + 3)
        #expect(report.kernels.filter { $0.name.hasPrefix("gemm") }.allSatisfy { ($0.shareOfPeak ?? 0) > 0 })
        #expect(report.kernels.allSatisfy { $0.gigabytesPerSecond > 0 && $0.microseconds.median > 0 })
        let table = segnet("benchmark", "kernels", "--repeat", "1").output
        for name in ["F(6,3) input", "F(4,7) output", "F(4,5) weights", "unpooling 2x2"] {
            #expect(table.contains(name))
        }
    }

    struct Training: Decodable {
        struct Network: Decodable {
            var network: String
            var batch, width, height: Int
            var secondsPerStep: [Double]
            var picturesPerSecond: Double
        }
        var networks: [Network]
    }

    @Test("measures training steps, of several networks in one document")
    func training() throws {
        let report = try document(Training.self, "training", "segnet-basic", "segnet-basic", "--repeat", "1")
        #expect(report.networks.map(\.network) == ["segnet-basic", "segnet-basic"])
        for network in report.networks {
            #expect((network.batch, network.width, network.height) == (4, 240, 176))
            #expect(network.secondsPerStep.count == 1 && network.picturesPerSecond > 0)
        }
    }

    @Test(
        "refuses what is not a number of repetitions",
        arguments: [["--repeat", "0"], ["layers", "--repeat", "10001"], ["kernels", "--repeat=-1"]]
    )
    func repetitions(arguments: [String]) {
        let result = segnet(["benchmark"] + arguments)
        #expect(result.exitCode == 64)
        let found = arguments.last?.split(separator: "=").last ?? ""
        #expect(result.errors.contains("Please give '--repeat' a number in 1...10000; found \(found)."))
    }
}
