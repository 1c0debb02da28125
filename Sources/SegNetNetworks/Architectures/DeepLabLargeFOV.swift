extension Architectures {
    /// DeepLab-LargeFOV: VGG16 that stops shrinking at 1/8 of the picture and sees far by dilated convolutions; its scores are enlarged
    /// bilinearly.
    ///
    /// Pictures are padded at the bottom and right, with the mean, to heights and widths of 8k + 1, which the enlargement by 8 gives back,
    /// and the top left part of the result counts: so did the authors. In training the loss is taken on the grid of 1/8.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: The defaults are the released net.
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 1.
    ///
    /// Source: arXiv 1412.7062 and the authors' `voc12` files (`DeepLab-LargeFOV`), whose layer names these are; the paper's table 3
    /// has it with batch normalisation.
    public static func deepLabLargeFOV(classes: Int, options: ArchitectureOptions = ArchitectureOptions()) -> Network {
        let make = options.factory(isNormalized: false)
        let overlapping = Window(3, stride: 2, padding: 1)
        let smoothing = Window(3, padding: 1)

        return Network("deeplab-largefov", input: options.input) {
            Layer("pad", outputs: ["padded"], .padding(Padding(multiple: 8)))

            options.vggStage(1, make)
            make.maxPool("pool1", overlapping)
            options.vggStage(2, make)
            make.maxPool("pool2", overlapping)
            options.vggStage(3, make)
            make.maxPool("pool3", overlapping)
            options.vggStage(4, make)
            make.maxPool("pool4", smoothing)
            options.vggStage(5, make, window: Window(3, padding: 2, dilation: 2))
            make.maxPool("pool5", smoothing)
            Layer("pool5a", .averagePooling(AveragePooling(window: smoothing)))

            options.vggFullyConnected("fc6", make, released: 1024, window: Window(3, padding: 12, dilation: 12))
            options.vggFullyConnected("fc7", make, released: 1024, window: Window(1))
            make.conv("fc8_voc12", classes, kernel: 1)

            Layer("fc8_interp", .resize(Resize(to: .factor(8))))
            make.crop("score", "fc8_interp", to: options.input.name)
        }
    }
}
