import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// Local response normalisation across channels: y_c = x_c s_c^-beta with s_c = k + alpha / size * (sum of x^2 around c).
///
/// dx_c = dy_c s_c^-beta - 2 alpha beta / size * x_c * sum over the channels j around c of dy_j x_j s_j^(-beta - 1).
/// In front of SegNet-Basic nothing needs the gradient; where a layer does, plain loops compute it.
struct LocalResponseNormalizationStep: Step {
    let kind: LocalResponseNormalization
    let input: ValueID
    let output: ValueID

    var backwardReads: [ValueID] { [input] }

    func forward(_ run: Run) {
        let shape = run.values[input]
        run.forEachRows(input) { picture, rows in
            if shape.layout == .thin {
                run.kernels.normalizeLocally(
                    run.thin(input, picture: picture),
                    channels: kind.channels ?? shape.channels,
                    size: kind.size,
                    alpha: kind.alpha,
                    beta: kind.beta,
                    k: kind.k,
                    to: run.thin(output, picture: picture),
                    rows
                )
            } else {
                run.kernels.normalizeLocally(
                    run.map(input, picture: picture),
                    channels: shape.channels,
                    size: kind.size,
                    alpha: kind.alpha,
                    beta: kind.beta,
                    k: kind.k,
                    to: run.map(output, picture: picture),
                    rows
                )
            }
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(input) else { return }
        let channels = run.values[input].channels
        let (half, factor) = (kind.size / 2, kind.alpha / Double(kind.size))
        run.forEachRows(input) { picture, rows in
            let x = MapView(run.map(input, picture: picture))
            let dx = MapView(gradients.target(input, picture: picture))
            let dy = MapView(gradients.map(output, picture: picture))
            var bases = [Double](repeating: 0, count: channels)
            for row in rows {
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
