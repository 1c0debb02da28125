/// VGG16's convolutions, on which the networks of the paper's benchmark stand. Source: arXiv 1409.1556; layer names as in
/// `VGG_ILSVRC_16_layers.caffemodel`.
extension ArchitectureOptions {
    /// The convolutions of one of the five stages, without the pooling behind them.
    /// - Parameters:
    ///   - stage: 1...5.
    ///   - first: The window of the stage's first convolution, where it is another one.
    func vggStage(
        _ stage: Int,
        _ make: LayerFactory,
        window: Window = Window(3, padding: 1),
        first: Window? = nil
    ) -> [Layer] {
        let width = channels([64, 128, 256, 512, 512][stage - 1])
        return (1...(stage < 3 ? 2 : 3)).flatMap { number in
            make.convBNReLU("conv\(stage)_\(number)", width, window: number == 1 ? first ?? window : window)
        }
    }

    /// A fully connected layer of VGG16 as a convolution, with dropout behind it: `fc6`, `relu6`, `drop6`.
    func vggFullyConnected(_ name: String, _ make: LayerFactory, released width: Int, window: Window) -> [Layer] {
        let layers = make.convBNReLU(name, channels(fullyConnectedWidth ?? width), window: window)
        guard hasDropout(released: true) else { return layers }
        return layers + [make.dropout("drop" + name.dropFirst(2), samplesAtTest: dropout == .sampled)]
    }
}
