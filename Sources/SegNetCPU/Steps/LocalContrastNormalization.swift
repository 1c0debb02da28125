import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// Local contrast normalisation of a picture.
///
/// With w a Gaussian window normalised over the part that lies inside the picture, and sums over the window and all channels:
/// v = x - mean_w(x), s = sqrt(mean_w(v^2)), y = v / max(s, mean of s over the picture); 0 where the whole picture is flat.
/// Both means are separable: columns, then rows, in float64, which costs little compared with the network. One thread: it takes
/// about 20 ms at 480x360 and belongs to no released net.
struct LocalContrastNormalizationStep: Step {
    let kind: LocalContrastNormalization
    let input: ValueID
    let output: ValueID

    func forward(_ run: Run) {
        run.pool.forEach(run.pictures) { _, picture in
            kind.normalize(run.thin(input, picture: picture), to: run.thin(output, picture: picture))
        }
    }

    /// Nothing before it learns.
    func backward(_ run: Run, _ gradients: Gradients) {}
}

extension LocalContrastNormalization {
    /// Normalises one picture.
    fileprivate func normalize(_ input: sn_thin, to output: sn_thin) {
        guard let source = input.data, let target = output.data else { return }
        let (height, width, channels) = (input.height, input.width, input.channels)
        let pixels = height * width
        let radius = size / 2
        let taps = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }

        /// The window's mean of a picture of one value per pixel.
        func windowMean(_ picture: [Double]) -> [Double] {
            var rows = [Double](repeating: 0, count: pixels)
            for y in 0..<height {
                for x in 0..<width {
                    var (sum, weight) = (0.0, 0.0)
                    for offset in max(-radius, -x)...min(radius, width - 1 - x) {
                        sum += taps[offset + radius] * picture[y * width + x + offset]
                        weight += taps[offset + radius]
                    }
                    rows[y * width + x] = sum / weight
                }
            }
            var result = [Double](repeating: 0, count: pixels)
            for y in 0..<height {
                var weight = 0.0
                for offset in max(-radius, -y)...min(radius, height - 1 - y) {
                    let tap = taps[offset + radius]
                    weight += tap
                    for x in 0..<width { result[y * width + x] += tap * rows[(y + offset) * width + x] }
                }
                for x in 0..<width { result[y * width + x] /= weight }
            }
            return result
        }

        var picture = [Double](repeating: 0, count: pixels)
        for p in 0..<pixels {
            for c in 0..<channels { picture[p] += Double(source[p * channels + c]) }
            picture[p] /= Double(channels)
        }
        let mean = windowMean(picture)
        for p in 0..<pixels {
            var sum = 0.0
            for c in 0..<channels {
                let v = Double(source[p * channels + c]) - mean[p]
                sum += v * v
            }
            picture[p] = sum / Double(channels)
        }
        let deviation = windowMean(picture).map { $0.squareRoot() }
        let floor = deviation.reduce(0, +) / Double(pixels)
        for p in 0..<pixels {
            let divisor = max(deviation[p], floor)
            for c in 0..<channels {
                let v = Double(source[p * channels + c]) - mean[p]
                target[p * channels + c] = divisor > 0 ? Float(v / divisor) : 0
            }
        }
    }
}
