internal import SegNetCPU

//  The settings inside `optimizer`, `schedule` and `multipliers`.

extension OptimizerConfiguration {
    static let table: [SettingDeclaration<OptimizerConfiguration>] = [
        SettingDeclaration(
            "kind",
            \.kind,
            .choice,
            of: standard,
            "sgd: momentum as in Caffe. adamw: Adam with decoupled weight decay."
        ),
        SettingDeclaration(
            "momentum",
            \.momentum,
            .number(0..<1),
            of: standard,
            "sgd: what the velocity keeps at each step."
        ),
        SettingDeclaration("beta1", \.beta1, .number(0..<1), of: standard, "adamw: what the first moment keeps."),
        SettingDeclaration("beta2", \.beta2, .number(0..<1), of: standard, "adamw: what the second moment keeps."),
        SettingDeclaration(
            "epsilon",
            \.epsilon,
            .number(above: 0),
            of: standard,
            "adamw: added to the second moment's root."
        ),
        SettingDeclaration("weight-decay", \.weightDecay, .number(atLeast: 0), of: standard, "Decay of the weights."),
        SettingDeclaration(
            "clip-norm",
            \.clipNorm,
            .number(above: 0),
            initial: 1,
            standard: "never",
            "Gradients with a greater norm over all parameters are scaled down to it."
        ),
    ]

    private static let standard = OptimizerConfiguration()
}

extension Schedule {
    static let table: [SettingDeclaration<Schedule>] = [
        SettingDeclaration(
            "kind",
            \.kind,
            .choice,
            of: standard,
            "constant; step: gamma^(steps / every); poly: (1 - done)^power; cosine: half a cosine from 1 to final; one-cycle: up a straight "
                + "line from start to 1, then down a cosine to final."
        ),
        SettingDeclaration("gamma", \.gamma, .number(above: 0), of: standard, "step: the factor."),
        SettingDeclaration("every", \.every, .integer(atLeast: 1), of: standard, "step: after how many steps."),
        SettingDeclaration("power", \.power, .number(atLeast: 0), of: standard, "poly: the exponent."),
        SettingDeclaration("final", \.final, .number(0...1), of: standard, "cosine, one-cycle: the factor at the end."),
        SettingDeclaration("start", \.start, .number(0...1), of: standard, "one-cycle: the factor at the beginning."),
        SettingDeclaration(
            "peak",
            \.peak,
            .number(0...1),
            of: standard,
            "one-cycle: the share of the steps until the top."
        ),
        SettingDeclaration(
            "warm-up",
            \.warmUp,
            .integer(atLeast: 0),
            of: standard,
            "Steps of a straight line from 0 before everything else."
        ),
    ]

    private static let standard = Schedule()
}

extension ParameterMultipliers {
    static let table: [SettingDeclaration<ParameterMultipliers>] = [
        SettingDeclaration(
            "weight",
            \.weight,
            .group("two multipliers", Pair.table),
            of: standard,
            "Weights of convolutions."
        ),
        SettingDeclaration("bias", \.bias, .group("two multipliers", Pair.table), of: standard, "Biases."),
        SettingDeclaration(
            "scale",
            \.scale,
            .group("two multipliers", Pair.table),
            of: standard,
            "Scales of batch normalisation."
        ),
        SettingDeclaration(
            "shift",
            \.shift,
            .group("two multipliers", Pair.table),
            of: standard,
            "Shifts of batch normalisation."
        ),
    ]

    private static let standard = ParameterMultipliers()
}

extension ParameterMultipliers.Pair {
    static let table: [SettingDeclaration<ParameterMultipliers.Pair>] = [
        SettingDeclaration(
            "learning-rate",
            \.learningRate,
            .number(atLeast: 0),
            of: standard,
            standard: "2 for bias, else 1",
            old: ["learningRate"],
            "Multiplies the learning rate."
        ),
        SettingDeclaration(
            "decay",
            \.decay,
            .number(atLeast: 0),
            of: standard,
            standard: "1 for weight and scale, else 0",
            "Multiplies the weight decay."
        ),
    ]

    private static let standard = ParameterMultipliers.Pair(learningRate: 1, decay: 1)
}
