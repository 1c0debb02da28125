import SegNetData
import SegNetInference
import SegNetNetworks

extension InputOrder {
    /// Where a network's channels lie in the examples of a data set.
    /// - Throws: `BatchError` naming the channel that the data do not have.
    init(_ input: InputDescription, of dataset: Dataset) throws(BatchError) {
        do throws(MissingChannel) {
            self = try InputOrder(
                input.channels,
                bytes: Array(dataset.channels.prefix(dataset.inputs.colorCount)),
                planes: dataset.inputs.planeNames
            )
        } catch {
            throw BatchError(
                "the network reads a channel '\(error.name)', the data have \(dataset.channels.joined(separator: ", "))."
            )
        }
    }
}

extension Workspace {
    /// Fills the input from an example.
    func fillInput(_ example: Example, order: InputOrder) {
        fillInput(example.pixels, pixelBytes: example.channels, planes: example.planes, order: order)
    }
}
