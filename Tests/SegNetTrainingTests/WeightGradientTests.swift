import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

/// Layers of so many tiles that they are summed in several superblocks.
@Suite("Weights' gradients in the Winograd domain")
struct WeightGradientTests {
    struct Layer: Sendable, CustomTestStringConvertible {
        var taps: Int
        var inputs: Int, outputs: Int
        var height: Int, width: Int
        /// Whether the products of the whole layer are kept (`WinogradWeightGradient`).
        var keeps: Bool
        var pictures = 2
        var testDescription: String { "\(taps)x\(taps), \(inputs) -> \(outputs), \(width)x\(height)" }
    }

    /// 7x7: 150 tiles a picture, superblocks of 80 that hold tiles of both. 3x3: 120 tiles a picture, superblocks of 160 at most.
    static let layers = [
        Layer(taps: 7, inputs: 64, outputs: 64, height: 40, width: 59, keeps: true),
        Layer(taps: 3, inputs: 64, outputs: 48, height: 58, width: 70, keeps: true),
        Layer(taps: 3, inputs: 176, outputs: 160, height: 58, width: 70, keeps: false),
    ]

    private func map(_ memory: AlignedMemory, picture: Int, channels: Int, _ layer: Layer) -> sn_map {
        let floats = channels * layer.height * layer.width
        return sn_map(
            data: memory.floats(at: picture * floats * 4),
            blocks: channels / 16,
            height: layer.height,
            width: layer.width,
            rows: layer.height,
            block_stride: layer.height * layer.width * 16
        )
    }

    private func gradient(
        _ layer: Layer,
        _ set: InstructionSet,
        threads: Int,
        _ input: AlignedMemory,
        _ output: AlignedMemory
    ) throws -> [Float] {
        let window = Window(height: layer.taps, width: layer.taps, paddingY: layer.taps / 2, paddingX: layer.taps / 2)
        let count = layer.inputs * layer.outputs * layer.taps * layer.taps
        let node = ConvolutionNode(
            window: window,
            groups: 1,
            inputChannels: layer.inputs,
            outputChannels: layer.outputs,
            weight: .values([]),
            bias: []
        )
        let options = InferenceOptions(accuracy: .fast, instructionSet: set)
        let geometry = ConvolutionGeometry(
            plan: ConvolutionPlan(node, isThin: false, options: options),
            pictures: layer.pictures,
            inputHeight: layer.height,
            inputWidth: layer.width,
            height: layer.height,
            width: layer.width
        )
        let schedule = geometry.weightGradient(kernels: set.kernels)
        #expect((schedule.threadBytes == 0) == layer.keeps)
        let shared = try AlignedMemory(byteCount: schedule.sharedBytes)
        let scratch = try AlignedMemory(byteCount: threads * (schedule.threadBytes + 64))
        let packed = try AlignedMemory(byteCount: count * 4)
        packed.floats().update(repeating: 0, count: count)
        let bias = try AlignedMemory(byteCount: layer.outputs * 4)
        let crew = Crew(
            kernels: set.kernels,
            pool: ThreadPool(threadCount: threads),
            shared: shared.base,
            threadScratch: scratch.base,
            threadStride: (schedule.threadBytes + 63) / 64 * 64
        )
        let epilogue = sn_epilogue(bias: bias.floats(), relu: 0, out: .none, pooled: .none, indices: .none)
        schedule.run(
            (0..<layer.pictures).map {
                ConvolutionPicture(input: map(input, picture: $0, channels: layer.inputs, layer), epilogue: epilogue)
            },
            gradients: (0..<layer.pictures).map { map(output, picture: $0, channels: layer.outputs, layer) },
            into: packed.floats(),
            on: crew
        )
        return Array(UnsafeBufferPointer(start: packed.floats(), count: count))
    }

    /// Numbers of deviation 1.
    private func random(_ count: Int, seed: UInt64) throws -> AlignedMemory {
        var random = RandomNumbers(seed: seed)
        let memory = try AlignedMemory(byteCount: count * 4)
        for index in 0..<count { memory.floats()[index] = Float(random.gaussian()) }
        return memory
    }

    @Test("are the sums over all pictures, for any number of threads", arguments: layers, InstructionSet.available)
    func superblocks(_ layer: Layer, _ set: InstructionSet) throws {
        let pixels = layer.height * layer.width * layer.pictures
        let input = try random(pixels * layer.inputs, seed: 1)
        let output = try random(pixels * layer.outputs, seed: 2)
        let one = try gradient(layer, set, threads: 1, input, output)
        #expect(one == (try gradient(layer, set, threads: 3, input, output)))

        // Some weights by definition, in float64.
        var choice = RandomNumbers(seed: 3)
        let area = layer.taps * layer.taps
        for _ in 0..<24 {
            let index = Int(choice.uniform() * Double(one.count))
            let (lane, tap) = (index % 16, index / 16 % area)
            let (channel, block) = (index / 16 / area % layer.inputs, index / 16 / area / layer.inputs)
            let (i, j) = (tap / layer.taps - layer.taps / 2, tap % layer.taps - layer.taps / 2)
            var sum = 0.0
            for picture in 0..<layer.pictures {
                let from = map(input, picture: picture, channels: layer.inputs, layer)
                let to = map(output, picture: picture, channels: layer.outputs, layer)
                guard let read = from.data, let written = to.data else { continue }
                for y in max(0, -i)..<min(layer.height, layer.height - i) {
                    for x in max(0, -j)..<min(layer.width, layer.width - j) {
                        let a = read[
                            channel / 16 * from.block_stride + ((y + i) * layer.width + x + j) * 16 + channel % 16
                        ]
                        sum += Double(a) * Double(written[block * to.block_stride + (y * layer.width + x) * 16 + lane])
                    }
                }
            }
            // The sum's deviation is the square root of its terms' count.
            let error = abs(Double(one[index]) - sum) / Double(pixels).squareRoot()
            #expect(error < 3e-4, "weight \(index): \(one[index]) in place of \(sum)")
        }
    }
}
