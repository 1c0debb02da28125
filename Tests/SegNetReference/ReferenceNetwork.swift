import Foundation
package import SegNetNetworks
import SegNetPlatform

/// A map of float64 numbers, [C][H][W]; with indices, where each pooled value stood (flat, in the pooled plane).
package struct ReferenceMap: Sendable {
    package var channels: Int
    package var height: Int
    package var width: Int
    package var values: [Double]
    package var pooledHeight = 0
    package var pooledWidth = 0

    package init(_ channels: Int, _ height: Int, _ width: Int, repeating value: Double = 0) {
        (self.channels, self.height, self.width) = (channels, height, width)
        values = Array(repeating: value, count: channels * height * width)
    }

    package subscript(c: Int, y: Int, x: Int) -> Double {
        get { values[(c * height + y) * width + x] }
        set { values[(c * height + y) * width + x] = newValue }
    }
}

/// Runs a network by the definitions, in float64, one plain loop per layer: what plans are compared with.
///
/// `forcedIndices` replaces the pooling indices by recorded ones, so that a comparison is not about ties.
package struct ReferenceNetwork {
    package let network: Network
    /// By full name; gradient checks change single numbers.
    package var tensors: [String: [Double]]
    package var forcedIndices: [String: ReferenceMap] = [:]

    package init(network: Network, weights: Weights) {
        self.network = network
        tensors = weights.tensors.mapValues { $0.floats().map(Double.init) }
    }

    /// All blobs of one picture.
    package func run(_ input: ReferenceMap) -> [String: ReferenceMap] { run([input])[0] }

    /// All blobs of the pictures of a batch, which batch normalisation by batch statistics normalises together.
    package func run(_ batch: [ReferenceMap]) -> [[String: ReferenceMap]] {
        var pictures = batch.map { [network.input.name: $0] }
        for layer in network.layers {
            if case .batchNormalization(let kind) = layer.operation, kind.statistics == .batch {
                let x = pictures.compactMap { $0[layer.inputs[0]] }
                for (picture, y) in normalize(x, layer, epsilon: kind.epsilon).enumerated() {
                    pictures[picture][layer.outputs[0]] = y
                }
            } else {
                for picture in pictures.indices { run(layer, &pictures[picture]) }
            }
        }
        return pictures
    }

    private func normalize(_ x: [ReferenceMap], _ layer: Layer, epsilon: Double) -> [ReferenceMap] {
        var y = x
        let plane = x[0].height * x[0].width
        let (scale, shift) = (tensors["\(layer.name).scale"] ?? [], tensors["\(layer.name).shift"] ?? [])
        for c in 0..<x[0].channels {
            let values = x.flatMap { $0.values[c * plane..<(c + 1) * plane] }
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            for picture in x.indices {
                for i in c * plane..<(c + 1) * plane {
                    y[picture].values[i] =
                        scale[c] * (x[picture].values[i] - mean) / sqrt(variance + epsilon) + shift[c]
                }
            }
        }
        return y
    }

    private func run(_ layer: Layer, _ blobs: inout [String: ReferenceMap]) {
        let inputs = layer.inputs.compactMap { blobs[$0] }
        let x = inputs[0]
        func tensor(_ name: String) -> [Double] { tensors["\(layer.name).\(name)"] ?? [] }
        switch layer.operation {
        case .convolution(let kind): blobs[layer.outputs[0]] = convolve(x, kind, tensor("weight"), tensor("bias"))
        case .transposedConvolution(let kind):
            blobs[layer.outputs[0]] = transposed(x, kind, tensor("weight"), tensor("bias"))
        case .batchNormalization(let kind):
            var y = x
            let (scale, shift, mean, variance) = (
                tensor("scale"), tensor("shift"), tensor("mean"), tensor("variance")
            )
            for c in 0..<x.channels {
                let (m, d) = kind.statistics == .kept ? (mean[c], sqrt(variance[c] + kind.epsilon)) : (0, 1)
                for p in 0..<x.height * x.width {
                    let i = c * x.height * x.width + p
                    y.values[i] = scale[c] * (x.values[i] - m) / d + shift[c]
                }
            }
            blobs[layer.outputs[0]] = y
        case .scale:
            var y = x
            let (scale, shift) = (tensor("scale"), tensor("shift"))
            let plane = x.height * x.width
            for i in y.values.indices {
                y.values[i] = scale[i / plane] * x.values[i] + (shift.isEmpty ? 0 : shift[i / plane])
            }
            blobs[layer.outputs[0]] = y
        case .relu:
            var y = x
            y.values = x.values.map { $0 < 0 ? 0 : $0 }
            blobs[layer.outputs[0]] = y
        case .elu(let kind):
            var y = x
            y.values = x.values.map { $0 > 0 ? $0 : kind.alpha * expm1($0) }
            blobs[layer.outputs[0]] = y
        case .maxPooling(let kind):
            var (y, indices) = pool(x, kind)
            if kind.givesIndices {
                if let forced = forcedIndices[layer.outputs[1]] {
                    indices = forced
                    for c in 0..<y.channels {
                        for p in 0..<y.height * y.width {
                            let i = c * y.height * y.width + p
                            y.values[i] = x.values[c * x.height * x.width + Int(forced.values[i])]
                        }
                    }
                }
                (indices.pooledHeight, indices.pooledWidth) = (x.height, x.width)
                blobs[layer.outputs[1]] = indices
            }
            blobs[layer.outputs[0]] = y
        case .averagePooling(let kind): blobs[layer.outputs[0]] = average(x, kind)
        case .unpooling:
            let indices = inputs[1]
            var y = ReferenceMap(x.channels, indices.pooledHeight, indices.pooledWidth)
            let plane = y.height * y.width
            for c in 0..<x.channels {
                for p in 0..<x.height * x.width {
                    let i = c * x.height * x.width + p
                    y.values[c * plane + Int(indices.values[i])] = x.values[i]
                }
            }
            blobs[layer.outputs[0]] = y
        case .localResponseNormalization(let kind):
            var y = x
            for p in 0..<x.height * x.width {
                let counted = kind.channels ?? x.channels
                for c in 0..<counted {
                    var sum = 0.0
                    for other in max(0, c - kind.size / 2)...min(counted - 1, c + kind.size / 2) {
                        sum += pow(x.values[other * x.height * x.width + p], 2)
                    }
                    let i = c * x.height * x.width + p
                    y.values[i] = x.values[i] * pow(kind.k + kind.alpha / Double(kind.size) * sum, -kind.beta)
                }
            }
            blobs[layer.outputs[0]] = y
        case .dropout: blobs[layer.outputs[0]] = x
        case .addition:
            var y = x
            for other in inputs.dropFirst() { y.values = zip(y.values, other.values).map { $0 + $1 } }
            blobs[layer.outputs[0]] = y
        case .concatenation:
            var y = ReferenceMap(inputs.reduce(0) { $0 + $1.channels }, x.height, x.width)
            y.values = inputs.flatMap(\.values)
            blobs[layer.outputs[0]] = y
        case .crop(let kind):
            var y = ReferenceMap(x.channels, inputs[1].height, inputs[1].width)
            for c in 0..<y.channels {
                for i in 0..<y.height { for j in 0..<y.width { y[c, i, j] = x[c, i + kind.top, j + kind.left] } }
            }
            blobs[layer.outputs[0]] = y
        case .bilinearUpsampling(let kind):
            blobs[layer.outputs[0]] = bilinear(x, x.height * kind.factor, x.width * kind.factor) { position, from, to in
                (Double(position) + 0.5) * Double(from) / Double(to) - 0.5
            }
        case .resize(let kind):
            let shapes = inputs.map { BlobShape([1, $0.channels, $0.height, $0.width]) }
            let size = (try? kind.outputs(of: shapes))?[0].shape ?? []
            blobs[layer.outputs[0]] = bilinear(x, size.height, size.width) { position, from, to in
                to > 1 ? Double(position) * Double(from - 1) / Double(to - 1) : 0
            }
        case .softmax:
            var y = x
            let plane = x.height * x.width
            for p in 0..<plane {
                let scores = (0..<x.channels).map { x.values[$0 * plane + p] }
                let highest = scores.max() ?? 0
                let sum = scores.reduce(0) { $0 + exp($1 - highest) }
                for c in 0..<x.channels { y.values[c * plane + p] = exp(scores[c] - highest) / sum }
            }
            blobs[layer.outputs[0]] = y
        case .argmax:
            var y = ReferenceMap(1, x.height, x.width)
            let plane = x.height * x.width
            for p in 0..<plane {
                var best = 0
                for c in 1..<x.channels where x.values[c * plane + p] >= x.values[best * plane + p] { best = c }
                y.values[p] = Double(best)
            }
            blobs[layer.outputs[0]] = y
        case .localContrastNormalization(let kind): blobs[layer.outputs[0]] = contrast(x, kind)
        case .innerProduct: break
        }
    }

    private func convolve(_ x: ReferenceMap, _ kind: Convolution, _ weight: [Double], _ bias: [Double]) -> ReferenceMap
    {
        let w = kind.window
        let height = (x.height + 2 * w.paddingY - w.extentY) / w.strideY + 1
        let width = (x.width + 2 * w.paddingX - w.extentX) / w.strideX + 1
        var y = ReferenceMap(kind.outputChannels, height, width)
        let (groupIn, groupOut) = (x.channels / kind.groups, kind.outputChannels / kind.groups)
        for k in 0..<kind.outputChannels {
            for i in 0..<height {
                for j in 0..<width {
                    var sum = bias.isEmpty ? 0 : bias[k]
                    for c in 0..<groupIn {
                        for dy in 0..<w.height {
                            let row = i * w.strideY - w.paddingY + dy * w.dilationY
                            guard row >= 0, row < x.height else { continue }
                            for dx in 0..<w.width {
                                let column = j * w.strideX - w.paddingX + dx * w.dilationX
                                guard column >= 0, column < x.width else { continue }
                                sum +=
                                    weight[((k * groupIn + c) * w.height + dy) * w.width + dx]
                                    * x[k / groupOut * groupIn + c, row, column]
                            }
                        }
                    }
                    y[k, i, j] = sum
                }
            }
        }
        return y
    }

    private func transposed(
        _ x: ReferenceMap,
        _ kind: TransposedConvolution,
        _ weight: [Double],
        _ bias: [Double]
    ) -> ReferenceMap {
        let w = kind.window
        var y = ReferenceMap(
            kind.outputChannels,
            (x.height - 1) * w.strideY + w.extentY - 2 * w.paddingY,
            (x.width - 1) * w.strideX + w.extentX - 2 * w.paddingX
        )
        let (groupIn, groupOut) = (x.channels / kind.groups, kind.outputChannels / kind.groups)
        for c in 0..<x.channels {
            for k in 0..<groupOut {
                let out = c / groupIn * groupOut + k
                for i in 0..<x.height {
                    for j in 0..<x.width {
                        for dy in 0..<w.height {
                            let row = i * w.strideY - w.paddingY + dy * w.dilationY
                            guard row >= 0, row < y.height else { continue }
                            for dx in 0..<w.width {
                                let column = j * w.strideX - w.paddingX + dx * w.dilationX
                                guard column >= 0, column < y.width else { continue }
                                y[out, row, column] +=
                                    weight[((c * groupOut + k) * w.height + dy) * w.width + dx] * x[c, i, j]
                            }
                        }
                    }
                }
            }
        }
        if !bias.isEmpty {
            for k in 0..<y.channels {
                for p in 0..<y.height * y.width { y.values[k * y.height * y.width + p] += bias[k] }
            }
        }
        return y
    }

    private func pool(_ x: ReferenceMap, _ kind: MaxPooling) -> (ReferenceMap, ReferenceMap) {
        let w = kind.window
        let shape = (try? kind.outputs(of: [BlobShape([1, x.channels, x.height, x.width])]))?[0].shape ?? []
        var y = ReferenceMap(x.channels, shape.height, shape.width)
        var indices = y
        for c in 0..<x.channels {
            for i in 0..<y.height {
                for j in 0..<y.width {
                    var best = -Double(Float.greatestFiniteMagnitude)
                    var position = min(i * w.strideY, x.height - 1) * x.width + min(j * w.strideX, x.width - 1)
                    for row in max(0, i * w.strideY - w.paddingY)..<min(x.height, i * w.strideY - w.paddingY + w.height)
                    {
                        for column in max(
                            0,
                            j * w.strideX - w.paddingX
                        )..<min(x.width, j * w.strideX - w.paddingX + w.width)
                        where x[c, row, column] > best {
                            best = x[c, row, column]
                            position = row * x.width + column
                        }
                    }
                    y[c, i, j] = best
                    indices[c, i, j] = Double(position)
                }
            }
        }
        return (y, indices)
    }

    private func average(_ x: ReferenceMap, _ kind: AveragePooling) -> ReferenceMap {
        let w = kind.window ?? Window(height: x.height, width: x.width)
        let shape = (try? kind.outputs(of: [BlobShape([1, x.channels, x.height, x.width])]))?[0].shape ?? []
        var y = ReferenceMap(x.channels, shape.height, shape.width)
        for c in 0..<x.channels {
            for i in 0..<y.height {
                for j in 0..<y.width {
                    var (sum, count) = (0.0, 0)
                    for dy in 0..<w.height {
                        for dx in 0..<w.width {
                            let (row, column) = (i * w.strideY - w.paddingY + dy, j * w.strideX - w.paddingX + dx)
                            // Beyond the padding nothing counts, on it zeros do.
                            guard row < x.height + w.paddingY, column < x.width + w.paddingX else { continue }
                            count += 1
                            guard row >= 0, column >= 0, row < x.height, column < x.width else { continue }
                            sum += x[c, row, column]
                        }
                    }
                    y[c, i, j] = sum / Double(count)
                }
            }
        }
        return y
    }

    /// - Parameter source: Where in the input (of so many rows) row `position` of the output (of so many) is read.
    private func bilinear(
        _ x: ReferenceMap,
        _ height: Int,
        _ width: Int,
        source: (_ position: Int, _ from: Int, _ to: Int) -> Double
    ) -> ReferenceMap {
        var y = ReferenceMap(x.channels, height, width)
        for c in 0..<x.channels {
            for i in 0..<y.height {
                for j in 0..<y.width {
                    let row = min(max(source(i, x.height, y.height), 0), Double(x.height - 1))
                    let column = min(max(source(j, x.width, y.width), 0), Double(x.width - 1))
                    let (r, q) = (Int(row), Int(column))
                    let (fr, fq) = (row - Double(r), column - Double(q))
                    let (r1, q1) = (min(r + 1, x.height - 1), min(q + 1, x.width - 1))
                    y[c, i, j] =
                        (1 - fr) * ((1 - fq) * x[c, r, q] + fq * x[c, r, q1])
                        + fr * ((1 - fq) * x[c, r1, q] + fq * x[c, r1, q1])
                }
            }
        }
        return y
    }

    /// The definition in two dimensions, not separable as the step has it.
    private func contrast(_ x: ReferenceMap, _ kind: LocalContrastNormalization) -> ReferenceMap {
        let radius = kind.size / 2
        func mean(_ y: Int, _ x0: Int, _ value: (Int, Int) -> Double) -> Double {
            var (sum, weight) = (0.0, 0.0)
            for i in max(0, y - radius)...min(x.height - 1, y + radius) {
                for j in max(0, x0 - radius)...min(x.width - 1, x0 + radius) {
                    let g = exp(-Double((i - y) * (i - y) + (j - x0) * (j - x0)) / (2 * kind.sigma * kind.sigma))
                    sum += g * value(i, j)
                    weight += g
                }
            }
            return sum / weight
        }
        var v = x
        for i in 0..<x.height {
            for j in 0..<x.width {
                let m = mean(i, j) { y, q in (0..<x.channels).reduce(0) { $0 + x[$1, y, q] } / Double(x.channels) }
                for c in 0..<x.channels { v[c, i, j] = x[c, i, j] - m }
            }
        }
        var deviation = ReferenceMap(1, x.height, x.width)
        for i in 0..<x.height {
            for j in 0..<x.width {
                deviation[0, i, j] = sqrt(
                    mean(i, j) { y, q in
                        (0..<x.channels).reduce(0) { $0 + v[$1, y, q] * v[$1, y, q] } / Double(x.channels)
                    }
                )
            }
        }
        let floor = deviation.values.reduce(0, +) / Double(deviation.values.count)
        for i in 0..<x.height {
            for j in 0..<x.width {
                let divisor = max(deviation[0, i, j], floor)
                for c in 0..<x.channels { v[c, i, j] = divisor > 0 ? v[c, i, j] / divisor : 0 }
            }
        }
        return v
    }
}
