internal import SegNetCPU

//  The settings inside `optimizer`, `schedule` and `multipliers`.

extension OptimizerConfiguration: SettingGroup {
    static let standard = OptimizerConfiguration()
    static let table: [Setting<OptimizerConfiguration>] = [
        Setting("kind", \.kind, .choice, "sgd: momentum as in Caffe. adamw: Adam with decoupled weight decay."),
        Setting("momentum", \.momentum, .number(0..<1), "sgd: the share of the velocity that is kept at each step.")
            .counts(if: { $0.kind == .sgd }, else: "only sgd uses it"),
        Setting("beta1", \.beta1, .number(0..<1), "adamw: the share of the first moment that is kept.")
            .counts(if: { $0.kind == .adamw }, else: "only adamw uses it"),
        Setting("beta2", \.beta2, .number(0..<1), "adamw: the share of the second moment that is kept.")
            .counts(if: { $0.kind == .adamw }, else: "only adamw uses it"),
        Setting("epsilon", \.epsilon, .number(above: 0), "adamw: added to the square root of the second moment.")
            .counts(if: { $0.kind == .adamw }, else: "only adamw uses it"),
        Setting("weight-decay", \.weightDecay, .number(atLeast: 0), "Decay of the weights."),
        Setting(
            "clip-norm",
            \.clipNorm,
            .number(above: 0),
            initial: 1,
            standard: "never",
            "Gradients with a greater norm over all parameters are scaled down to it."
        ),
    ]
}

extension Schedule: SettingGroup {
    static let standard = Schedule()
    static let table: [Setting<Schedule>] = [
        Setting(
            "kind",
            \.kind,
            .choice,
            "constant; step: gamma^(steps / every); poly: (1 - done)^power; cosine: half a cosine from 1 to final; one-cycle: up a straight "
                + "line from start to 1, then down a cosine to final."
        ),
        Setting("gamma", \.gamma, .number(above: 0), "step: the factor.")
            .counts(if: { $0.kind == .step }, else: "only step uses it"),
        Setting("every", \.every, .integer(atLeast: 1), "step: the number of steps between changes.")
            .counts(if: { $0.kind == .step }, else: "only step uses it"),
        Setting("power", \.power, .number(atLeast: 0), "poly: the exponent.")
            .counts(if: { $0.kind == .poly }, else: "only poly uses it"),
        Setting("final", \.final, .number(0...1), "cosine, one-cycle: the factor at the end.")
            .counts(if: { [.cosine, .oneCycle].contains($0.kind) }, else: "only cosine and one-cycle use it"),
        Setting("start", \.start, .number(0...1), "one-cycle: the factor at the beginning.")
            .counts(if: { $0.kind == .oneCycle }, else: "only one-cycle uses it"),
        Setting("peak", \.peak, .number(0...1), "one-cycle: the share of the steps until the top.")
            .counts(if: { $0.kind == .oneCycle }, else: "only one-cycle uses it"),
        Setting(
            "warm-up",
            \.warmUp,
            .integer(atLeast: 0),
            "The number of steps at the start in which the rate rises linearly from 0; the rest of the schedule follows."
        ),
    ]
}

extension ParameterMultipliers: SettingGroup {
    static let standard = ParameterMultipliers()
    static let table = kinds.map { Setting($0.key, $0.path, .group("two multipliers"), $0.help) }

    private typealias Kind = (
        key: String, path: any WritableKeyPath<ParameterMultipliers, Pair> & Sendable, help: String
    )
    private static let kinds: [Kind] = [
        ("weight", \.weight, "Weights of convolutions."),
        ("bias", \.bias, "Biases."),
        ("scale", \.scale, "Scales of batch normalisation."),
        ("shift", \.shift, "Shifts of batch normalisation."),
    ]

    /// The defaults of a multiplier in words: "2 for bias, else 1", where 1 is the one of the last kind.
    fileprivate static func defaults(_ multiplier: KeyPath<Pair, Float>) -> String {
        let values = kinds.map { (key: $0.key, value: standard[keyPath: $0.path][keyPath: multiplier]) }
        let last = values[values.count - 1].value
        let others = Dictionary(grouping: values.filter { $0.value != last }, by: \.value).sorted { $0.key < $1.key }
        let words = others.map {
            "\(plainNumber(Double($0.key))) for \($0.value.map(\.key).joined(separator: " and "))"
        }
        return (words + ["else \(plainNumber(Double(last)))"]).joined(separator: ", ")
    }
}

extension ParameterMultipliers.Pair: SettingGroup {
    static let standard = ParameterMultipliers.Pair(learningRate: 1, decay: 1)
    static let table: [Setting<ParameterMultipliers.Pair>] = [
        Setting(
            "learning-rate",
            \.learningRate,
            .number(atLeast: 0),
            standard: ParameterMultipliers.defaults(\.learningRate),
            old: ["learningRate"],
            "Multiplies the learning rate."
        ),
        Setting(
            "decay",
            \.decay,
            .number(atLeast: 0),
            standard: ParameterMultipliers.defaults(\.decay),
            "Multiplies the weight decay."
        ),
    ]
}
