extension ArchitectureOptions {
    /// What all FCNs share: VGG16 with its fully connected layers as convolutions, from the picture to `score_fr`.
    ///
    /// The first convolution pads by 100 pixels, so that pictures of any size leave a map behind `fc6`.
    func fcnTrunk(classes: Int, _ make: LayerFactory) -> [Layer] {
        var layers: [Layer] = []
        for stage in 1...5 {
            layers += vggStage(stage, make, first: stage == 1 ? Window(3, padding: 100) : nil)
            layers.append(make.maxPool("pool\(stage)", Window(2, stride: 2)))
        }
        layers += vggFullyConnected("fc6", make, released: 4096, window: Window(7))
        layers += vggFullyConnected("fc7", make, released: 4096, window: Window(1))
        return layers + [make.conv("score_fr", classes, kernel: 1)]
    }
}

extension Architectures {
    /// FCN-32s: VGG16 as convolutions, and one upsampling by 32.
    ///
    /// The upsampling starts as bilinear interpolation. The authors' released nets keep it fixed; the paper runs it fixed ("FCN") and
    /// learnt ("FCN (learnt deconv)"): `upsampling` of a recipe.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: The defaults are the released nets.
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 1.
    ///
    /// Source: arXiv 1411.4038 and its repository fcn.berkeleyvision.org (`voc-fcn32s`), whose layer names these are.
    public static func fcn32s(classes: Int, options: ArchitectureOptions = ArchitectureOptions()) -> Network {
        let make = options.factory(isNormalized: false)
        return Network("fcn-32s", input: options.input) {
            options.fcnTrunk(classes: classes, make)
            make.deconv("upscore", classes, Window(64, stride: 32), hasBias: false)
            make.crop("score", "upscore", to: options.input.name, offset: 19)
        }
    }

    /// FCN-16s: the scores of `pool4` are added before the upsampling by 16.
    ///
    /// Parameters, result and source as for `fcn32s` (`voc-fcn16s`).
    public static func fcn16s(classes: Int, options: ArchitectureOptions = ArchitectureOptions()) -> Network {
        let make = options.factory(isNormalized: false)
        return Network("fcn-16s", input: options.input) {
            options.fcnTrunk(classes: classes, make)
            fusion(classes, make, of: "pool4", upscore: "upscore2", offset: 5)
            make.deconv("upscore16", classes, Window(32, stride: 16), hasBias: false)
            make.crop("score", "upscore16", to: options.input.name, offset: 27)
        }
    }

    /// FCN-8s: the scores of `pool4` and then those of `pool3` are added before the upsampling by 8.
    ///
    /// Parameters, result and source as for `fcn32s` (`voc-fcn8s`, `voc-fcn8s-atonce`).
    ///
    /// - Parameter isAtOnce: For training in one go in place of three stages: pooled maps are scaled down before they are scored.
    public static func fcn8s(
        classes: Int,
        options: ArchitectureOptions = ArchitectureOptions(),
        isAtOnce: Bool = false
    ) -> Network {
        let make = options.factory(isNormalized: false)
        return Network(isAtOnce ? "fcn-8s-at-once" : "fcn-8s", input: options.input) {
            options.fcnTrunk(classes: classes, make)
            fusion(classes, make, of: "pool4", upscore: "upscore2", offset: 5, isScaled: isAtOnce)
            fusion(classes, make, of: "pool3", upscore: "upscore_pool4", offset: 9, isScaled: isAtOnce)
            make.deconv("upscore8", classes, Window(16, stride: 8), hasBias: false)
            make.crop("score", "upscore8", to: options.input.name, offset: 31)
        }
    }

    /// Doubles the scores so far and adds those of a pooled map of the new size.
    private static func fusion(
        _ classes: Int,
        _ make: LayerFactory,
        of pool: String,
        upscore: String,
        offset: Int,
        isScaled: Bool = false
    ) -> [Layer] {
        var layers = [make.deconv(upscore, classes, Window(4, stride: 2), hasBias: false)]
        if isScaled { layers.append(Layer("scale_\(pool)", inputs: [pool], .scale(Scale()))) }
        var score = make.conv("score_\(pool)", classes, kernel: 1)
        score.inputs = [isScaled ? "scale_\(pool)" : pool]
        return layers + [
            score,
            make.crop("score_\(pool)c", "score_\(pool)", to: upscore, offset: offset),
            make.add("fuse_\(pool)", upscore, "score_\(pool)c"),
        ]
    }
}
