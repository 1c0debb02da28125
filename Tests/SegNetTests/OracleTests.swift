import Foundation
import SegNetCPU
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetToolkit
import Testing

/// What the original program answered: the large golden files live beside the repository (`../shared/oracle`), small ones in it.
enum Oracle {
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let shared = package.appending(path: "../shared/oracle").standardizedFileURL
    static let small = package.appending(path: "Tests/Golden/original")
    static var isThere: Bool { FileManager.default.fileExists(atPath: shared.appending(path: "README.md").path) }

    static func floats(_ url: URL) throws -> (shape: Shape, values: [Float]) {
        let file = try NPYFile(url)
        return (file.shape, file.floats())
    }
}

/// The median of |a - b|, and the deviation of b.
func medianError(_ a: [Float], _ b: [Float]) -> (median: Double, deviation: Double) {
    let errors = zip(a, b).map { abs(Double($0) - Double($1)) }.sorted()
    let mean = b.reduce(0.0) { $0 + Double($1) } / Double(b.count)
    let variance = b.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(b.count)
    return (errors[errors.count / 2], variance.squareRoot())
}

@Suite("The original's SegNet-Basic on a CamVid picture", .enabled(if: Oracle.isThere, "needs ../shared/oracle"))
struct GoldenPictureTests {
    /// Every step-th row and column of [C, H, W].
    static func everyNth(_ values: [Float], _ shape: Shape, _ step: Int) -> [Float] {
        var result: [Float] = []
        for c in 0..<shape[0] {
            for y in stride(from: 0, to: shape[1], by: step) {
                for x in stride(from: 0, to: shape[2], by: step) {
                    result.append(values[(c * shape[1] + y) * shape[2] + x])
                }
            }
        }
        return result
    }

    static func run(_ options: InferenceOptions, threads: Int) throws -> (
        ids: [UInt16], blobs: [String: ([Float], Shape)]
    ) {
        let model = try Caffe.readModel(
            weights: Oracle.shared.appending(path: "segnet_basic.caffemodel"),
            network: Oracle.shared.appending(path: "segnet_basic.prototxt")
        ).model
        var options = options
        options.outputs = ["conv_classifier", "pool4"]
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options)
        let plan = try prepared.plan(height: 360, width: 480)
        let workspace = try Workspace(for: plan, threads: threads)
        let picture = try Image(contentsOf: Oracle.shared.appending(path: "golden/0001TP_008550.png"))
        workspace.fillInput(InputPicture(bytes: picture.pixels, pixelBytes: 3), order: InputOrder(bytes: [2, 1, 0]))
        plan.run(in: workspace)
        var blobs: [String: ([Float], Shape)] = [:]
        for name in options.outputs {
            blobs[name] = (try #require(workspace.planar(name)), try #require(plan.shape(of: name)))
        }
        return (try #require(workspace.classIDs("conv_classifier")), blobs)
    }

    static let cases: [(InstructionSet, InferenceOptions.Accuracy, Int)] = InstructionSet.available.flatMap { set in
        [(set, .exact, 2), (set, .fast, 2), (set, .accurate, 1)]
    }

    @Test("gives the original's classes and logits", arguments: cases)
    func goldenPicture(set: InstructionSet, accuracy: InferenceOptions.Accuracy, threads: Int) throws {
        let found = try Self.run(InferenceOptions(accuracy: accuracy, instructionSet: set), threads: threads)
        let argmax = try LabelMap(contentsOf: Oracle.shared.appending(path: "golden/argmax.png"))
        let equal = zip(found.ids, argmax.ids).count { $0 == $1 }
        let share = Double(equal) / Double(found.ids.count)
        // The oracle's README derives these bars from what other float32 programs and disturbed convolutions reach.
        #expect(share >= (accuracy == .exact ? 0.998 : 0.995), "\(share) of the pixels")

        let golden = try Oracle.floats(Oracle.shared.appending(path: "golden/conv_classifier_step12_float32.npy"))
        let (logits, shape) = try #require(found.blobs["conv_classifier"])
        let error = medianError(Self.everyNth(logits, shape, 12), golden.values)
        #expect(error.median <= (accuracy == .exact ? 1e-5 : 1e-3) * error.deviation, "\(error)")

        let pool4 = try Oracle.floats(Oracle.shared.appending(path: "golden/pool4.npy"))
        let poolError = medianError(try #require(found.blobs["pool4"]).0, pool4.values)
        #expect(poolError.median <= (accuracy == .exact ? 3e-5 : 1e-3) * poolError.deviation, "\(poolError)")
        print(
            "\(set) \(accuracy): classes \(share), logits \(error.median / error.deviation), pool4 \(poolError.median / poolError.deviation)"
        )
    }

    @Test("keeps most classes with float16 weights", arguments: [InferenceOptions.Accuracy.fast, .exact])
    func half(accuracy: InferenceOptions.Accuracy) throws {
        let found = try Self.run(InferenceOptions(accuracy: accuracy, precision: .float16), threads: 2)
        let argmax = try LabelMap(contentsOf: Oracle.shared.appending(path: "golden/argmax.png"))
        let share = Double(zip(found.ids, argmax.ids).count { $0 == $1 }) / Double(found.ids.count)
        // Weights rounded after folding, computed exactly: 0.99036 (the oracle's README).
        #expect(share >= 0.97, "\(share) of the pixels")
    }
}

@Suite("The original's single layers")
struct OriginalLayerTests {
    static let names = [
        "argmax_ties", "bn_inference", "conv_1x1", "conv_3x3_pad1", "conv_3x3_pad1_image", "conv_7x7_pad3",
        "conv_7x7_pad3_small_map", "lrn_image_3ch", "lrn_other_params_6ch", "lrn_wide_8ch", "pool_even_8x6",
        "pool_nan_inf_6x10", "pool_negative_5x5", "pool_odd_7x9", "pool_one_row_1x5", "pool_relu_zeros_11x13",
        "pool_signed_zero_4x6", "pool_ties_9x7", "softmax",
    ]

    /// Reads the file the original ran, runs it on each picture of its batch, and compares all its tops.
    @Test("give the original's numbers", arguments: names, InstructionSet.available)
    func layer(name: String, set: InstructionSet) throws {
        let folder = Oracle.small.appending(path: "layers")
        let network = try Caffe.readNetwork(folder.appending(path: "\(name).prototxt")).network
        let layer = try #require(network.layers.first)
        var weights = Weights()
        for (_, tensor, parameter) in try network.parameters() {
            let file = try Oracle.floats(folder.appending(path: "\(name).\(parameter.name).npy"))
            weights[tensor] = WeightTensor(shape: parameter.shape, values: file.values)
        }
        let x = try Oracle.floats(folder.appending(path: "\(name).x.npy"))
        let options = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: layer.outputs)
        let prepared = try PreparedNetwork(network, weights: weights, options: options)
        let plan = try prepared.plan(height: x.shape.height, width: x.shape.width)
        let workspace = try Workspace(for: plan, threads: 2)
        let (channels, plane) = (x.shape.channels, x.shape.height * x.shape.width)
        for picture in 0..<x.shape.batch {
            for c in 0..<channels {
                for p in 0..<plane {
                    workspace.input[p * channels + c] = x.values[(picture * channels + c) * plane + p]
                }
            }
            plan.run(in: workspace)
            for blob in layer.outputs {
                let golden = try Oracle.floats(folder.appending(path: "\(name).\(blob).npy")).values
                let found = try #require(workspace.planar(blob))
                let expected = Array(golden[picture * found.count..<(picture + 1) * found.count])
                if name.hasPrefix("pool") || name.hasPrefix("argmax") {
                    // Where the original found no number it has index -1; ours is position 0 of the window.
                    let indices = try #require(plan.shape(of: blob))
                    for (i, (a, b)) in zip(found, expected).enumerated() where b >= 0 || blob != "mask" {
                        #expect(a == b, "\(blob)[\(i)] of \(indices)")
                    }
                } else {
                    let largest = expected.map { abs($0) }.max() ?? 1
                    let error = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
                    #expect(error <= 2e-6 * largest, "\(blob): \(error) of \(largest)")
                }
            }
        }
    }

    @Test(
        "the old encoding and the new one give the original's activations",
        arguments: [
            ("vgg_v1.prototxt", "tiny_v1.caffemodel"), ("vgg_new.prototxt", "tiny_new.caffemodel"),
            ("vgg_new.prototxt", "tiny_v1.caffemodel"), ("vgg_v1.prototxt", "tiny_v1_unpacked_with_diff.caffemodel"),
        ]
    )
    func tinyVGG(prototxt: String, caffemodel: String) throws {
        let folder = Oracle.small.appending(path: "v1")
        let model = try Caffe.readModel(
            weights: folder.appending(path: caffemodel),
            network: folder.appending(path: prototxt)
        ).model
        let x = try Oracle.floats(folder.appending(path: "data.npy"))
        let options = InferenceOptions(accuracy: .exact, outputs: ["conv2_1"])
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options)
        let plan = try prepared.plan(height: x.shape.height, width: x.shape.width)
        let workspace = try Workspace(for: plan, threads: 1)
        let golden = try Oracle.floats(folder.appending(path: "conv2_1.npy")).values
        let (channels, plane) = (x.shape.channels, x.shape.height * x.shape.width)
        for picture in 0..<x.shape.batch {
            for c in 0..<channels {
                for p in 0..<plane {
                    workspace.input[p * channels + c] = x.values[(picture * channels + c) * plane + p]
                }
            }
            plan.run(in: workspace)
            let found = try #require(workspace.planar("conv2_1"))
            let expected = Array(golden[picture * found.count..<(picture + 1) * found.count])
            let error = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
            #expect(error <= 2e-6 * (expected.map { abs($0) }.max() ?? 1))
        }
    }
}
