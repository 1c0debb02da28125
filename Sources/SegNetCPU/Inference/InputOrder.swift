import CSegNetKernels
import SegNetGraph
package import SegNetNetworks

/// Where a network's input channels are found in a picture: among its bytes, or in planes of 16 bits.
///
/// Inference, training and validation fill their input through this one type, so that they cannot differ.
package struct InputOrder: Sendable, Hashable {
    /// 16-bit samples to one step of 8 bits: 65535 counts as 255.
    package static let planeStep: Float = 257

    /// For each channel of the network the byte within the pixel; 0 where it comes from a plane.
    package let bytes: [Int32]
    /// Channels of the network that come from planes.
    package let planes: [PlaneChannel]

    package struct PlaneChannel: Sendable, Hashable {
        /// The network's channel.
        package let channel: Int
        /// The plane's number.
        package let plane: Int
    }

    /// - Parameters:
    ///   - channels: The channels that the network reads, in its order.
    ///   - bytes: What each byte of a pixel holds.
    ///   - planes: What each plane holds.
    /// - Throws: `MissingChannel` for the first that is nowhere.
    package init(_ channels: [InputChannel], bytes: [InputChannel], planes: [InputChannel]) throws(MissingChannel) {
        var order: [Int32] = []
        var found: [PlaneChannel] = []
        for (number, channel) in channels.enumerated() {
            if let byte = bytes.firstIndex(of: channel) {
                order.append(Int32(byte))
            } else if let plane = planes.firstIndex(of: channel) {
                order.append(0)
                found.append(PlaneChannel(channel: number, plane: plane))
            } else {
                throw MissingChannel(channel: channel)
            }
        }
        self.bytes = order
        self.planes = found
    }

    /// - Parameter bytes: For each channel of the network the byte within the pixel.
    package init(bytes: [Int32]) {
        self.bytes = bytes
        planes = []
    }

    package struct MissingChannel: Error { package let channel: InputChannel }

    /// Whether a channel comes from the bytes.
    package var readsBytes: Bool { planes.count < bytes.count }

    /// Writes the channels that come from planes into rows of a thin map: (sample / 257 - mean) * scale.
    fileprivate func fillPlanes(
        _ planes: [[UInt16]],
        _ description: InputDescription,
        _ thin: sn_thin,
        rows: Range<Int>
    ) {
        guard let target = thin.data else { return }
        for entry in self.planes {
            let channel = entry.channel
            let (mean, scale) = (description.mean[channel], description.scale[channel])
            planes[entry.plane].withUnsafeBufferPointer { samples in
                for pixel in rows.lowerBound * thin.width..<rows.upperBound * thin.width {
                    target[pixel * thin.channels + channel] = (Float(samples[pixel]) / Self.planeStep - mean) * scale
                }
            }
        }
    }
}

/// A picture as a network's input takes it, at the network's size and without gaps.
package struct InputPicture: Sendable {
    /// [height, width, pixelBytes]
    package let bytes: [UInt8]
    package let pixelBytes: Int
    /// [height, width] each, 257 to a step of the bytes.
    package let planes: [[UInt16]]

    package init(bytes: [UInt8], pixelBytes: Int, planes: [[UInt16]] = []) {
        self.bytes = bytes
        self.pixelBytes = pixelBytes
        self.planes = planes
    }
}

extension Run {
    /// Fills the network's input from a picture by the network's input description: order, mean, scale.
    func fillInput(_ picture: InputPicture, order: InputOrder, _ description: InputDescription, number: Int = 0) {
        let thin = thin(.input, picture: number)
        let pixels = thin.height * thin.width
        precondition(order.bytes.count == thin.channels && picture.planes.allSatisfy { $0.count == pixels })
        precondition(!order.readsBytes || picture.bytes.count >= pixels * picture.pixelBytes)
        picture.bytes.withUnsafeBufferPointer { bytes in
            crew.forEachItem(blocks: 1, height: thin.height, width: thin.width) { _, first, last in
                let rows = first..<last
                if order.readsBytes, let source = bytes.baseAddress {
                    kernels.fill(
                        thin,
                        from: source,
                        pixelBytes: picture.pixelBytes,
                        order: order.bytes,
                        description,
                        rows
                    )
                }
                order.fillPlanes(picture.planes, description, thin, rows: rows)
            }
        }
    }
}
