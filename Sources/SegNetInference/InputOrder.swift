package import CSegNetKernels

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
        /// Of the network.
        package let channel: Int
        /// The plane's number.
        package let plane: Int
    }

    /// - Parameters:
    ///   - channels: What the network reads, in its order.
    ///   - bytes: What each byte of a pixel holds.
    ///   - planes: What each plane holds.
    /// - Throws: `MissingChannel` for the first that is nowhere.
    package init(_ channels: [String], bytes: [String], planes: [String]) throws(MissingChannel) {
        var order: [Int32] = []
        var found: [PlaneChannel] = []
        for (number, channel) in channels.enumerated() {
            if let byte = bytes.firstIndex(of: channel) {
                order.append(Int32(byte))
            } else if let plane = planes.firstIndex(of: channel) {
                order.append(0)
                found.append(PlaneChannel(channel: number, plane: plane))
            } else {
                throw MissingChannel(name: channel)
            }
        }
        self.bytes = order
        self.planes = found
    }

    package struct MissingChannel: Error { package let name: String }

    /// Whether a channel comes from the bytes.
    package var readsBytes: Bool { planes.count < bytes.count }

    /// Writes the channels that come from planes into rows of a thin map: (sample / 257 - mean) * scale.
    package func fillPlanes(
        _ planes: [[UInt16]],
        mean: [Float],
        scale: [Float],
        _ thin: sn_thin,
        rows: Range<Int>
    ) {
        guard let target = thin.data else { return }
        for entry in self.planes {
            let channel = entry.channel
            let (mean, scale) = (mean[channel], scale[channel])
            planes[entry.plane].withUnsafeBufferPointer { samples in
                for pixel in rows.lowerBound * thin.width..<rows.upperBound * thin.width {
                    target[pixel * thin.channels + channel] = (Float(samples[pixel]) / Self.planeStep - mean) * scale
                }
            }
        }
    }
}
