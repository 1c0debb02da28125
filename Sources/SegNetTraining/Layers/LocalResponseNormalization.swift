import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Local response normalisation across channels: y_c = x_c s_c^-beta with s_c = k + alpha / size * (sum of x^2 around c).
///
/// dx_c = dy_c s_c^-beta - 2 alpha beta / size * x_c * sum over the channels j around c of dy_j x_j s_j^(-beta - 1).
/// In front of SegNet-Basic nothing needs the gradient; where a layer does, plain loops compute it.
struct LocalResponseNormalizationStep: TrainingStep {
    let kind: LocalResponseNormalization
    let isThin: Bool
    let input: Int
    let output: Int
    let needsInputGradient: Bool

    var backwardReads: [Int] { needsInputGradient ? [input] : [] }

    func forward(_ run: TrainingRun) {
        let (alpha, beta, k) = (Float(kind.alpha), Float(kind.beta), Float(kind.k))
        let channels = run.plan.graph.values[input].channels
        run.forEachRows(input) { picture, first, last in
            if isThin {
                var from = run.thin(input, picture: picture)
                var to = run.thin(output, picture: picture)
                run.kernels.lrn_thin(&from, kind.channels ?? channels, kind.size, alpha, beta, k, &to, first, last)
            } else {
                var from = run.map(input, picture: picture)
                var to = run.map(output, picture: picture)
                run.kernels.lrn(&from, channels, kind.size, alpha, beta, k, &to, first, last)
            }
        }
    }

    func backward(_ run: TrainingRun) {
        guard needsInputGradient, !isThin else { return }
        let channels = run.plan.graph.values[input].channels
        let (half, factor) = (kind.size / 2, kind.alpha / Double(kind.size))
        run.forEachRows(input) { picture, first, last in
            let x = MapView(run.map(input, picture: picture))
            let dx = MapView(run.target(input, picture: picture))
            let dy = MapView(run.gradient(output, picture: picture))
            var bases = [Double](repeating: 0, count: channels)
            for row in first..<last {
                for column in 0..<x.width {
                    func around(_ c: Int) -> ClosedRange<Int> { max(0, c - half)...min(channels - 1, c + half) }
                    for c in 0..<channels {
                        let sum = around(c).reduce(0.0) { $0 + Double(x[$1, row, column]) * Double(x[$1, row, column]) }
                        bases[c] = kind.k + factor * sum
                    }
                    for c in 0..<channels {
                        let sum = around(c).reduce(0.0) {
                            $0 + Double(dy[$1, row, column]) * Double(x[$1, row, column])
                                * pow(bases[$1], -kind.beta - 1)
                        }
                        let own = Double(dy[c, row, column]) * pow(bases[c], -kind.beta)
                        dx[c, row, column] = Float(own - 2 * factor * kind.beta * Double(x[c, row, column]) * sum)
                    }
                    for c in channels..<x.map.blocks * 16 { dx[c, row, column] = 0 }
                }
            }
        }
    }
}

/// Local contrast normalisation of the picture: nothing in front of it learns, so it has no gradient.
struct LocalContrastNormalizationStep: TrainingStep {
    let kind: LocalContrastNormalization
    let input: Int
    let output: Int

    func forward(_ run: TrainingRun) {
        run.crew.pool.forEach(run.pictures) { _, picture in
            kind.normalize(run.thin(input, picture: picture), to: run.thin(output, picture: picture))
        }
    }

    func backward(_ run: TrainingRun) {}
}
