import SegNetGraph
import SegNetPlatform

/// x where x > 0, else alpha (e^x - 1). The slope below 0 is alpha e^x. Plain loops: no released net of the field has it.
struct ELUStep: Step {
    let alpha: Float
    let input: ValueID
    let output: ValueID

    var backwardReads: [ValueID] { [input] }

    func forward(_ run: Run) {
        run.forEachItem(output) { block, picture, rows in
            let from = MapView(run.map(input, picture: picture)).rows(rows, block: block)
            let to = MapView(run.map(output, picture: picture)).rows(rows, block: block)
            for (index, x) in from.enumerated() { to[index] = x > 0 ? x : alpha * expm1(x) }
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(input) else { return }
        run.forEachItem(input) { block, picture, rows in
            let from = MapView(run.map(input, picture: picture)).rows(rows, block: block)
            let dy = MapView(gradients.map(output, picture: picture)).rows(rows, block: block)
            let dx = MapView(gradients.target(input, picture: picture)).rows(rows, block: block)
            for (index, x) in from.enumerated() { dx[index] = x > 0 ? dy[index] : dy[index] * alpha * exp(x) }
        }
    }
}
