internal import SegNetImages
internal import SegNetInference
internal import SegNetNetworks

/// How a picture becomes a network's input: the only place where channels are chosen and pictures are resized.
struct NetworkInput: Sendable {
    /// 8-bit samples, interleaved, at the network's size.
    struct Pixels {
        var samples: [UInt8]
        var width: Int
        /// Bytes per pixel.
        var pixelBytes: Int
        /// For each channel of the network the byte within the pixel.
        var order: [Int32]
    }

    /// What a channel of the network holds.
    private enum Channel: String { case red, green, blue, gray, alpha }

    private let channels: [Channel]

    /// - Throws: `SegmenterError` if the network wants a channel that pictures do not have.
    init(_ network: Network) throws(SegmenterError) {
        var channels: [Channel] = []
        for name in network.input.channels {
            guard let channel = Channel(rawValue: name) else {
                throw SegmenterError(
                    network: network.name,
                    reason: "its input has the channel '\(name)', which pictures do not have; "
                        + "red, green, blue, gray and alpha can be read from them."
                )
            }
            channels.append(channel)
        }
        self.channels = channels
    }

    /// The samples that the network needs, resized bilinearly.
    /// - Throws: `ImageError` if the size is beyond what a picture can have.
    func pixels(of image: Image, width: Int, height: Int) throws(ImageError) -> Pixels {
        let (picture, order) = needed(of: image)
        let resized = try picture.resized(width: width, height: height)
        if let order {
            return Pixels(samples: resized.pixels, width: width, pixelBytes: resized.channels, order: order)
        }
        // Gray beside colours: the gray value is made from the resized colours, as a fifth byte.
        let rgb = resized.rgb().pixels
        let gray = resized.gray().pixels
        let isTransparent = resized.channels == 4
        let samples = [UInt8](unsafeUninitializedCapacity: 5 * gray.count) { target, count in
            for index in gray.indices {
                for channel in 0..<3 { target[5 * index + channel] = rgb[3 * index + channel] }
                target[5 * index + 3] = isTransparent ? resized.pixels[4 * index + 3] : 255
                target[5 * index + 4] = gray[index]
            }
            count = 5 * gray.count
        }
        let places: [Int32] = channels.map { channel in
            switch channel {
            case .red: 0
            case .green: 1
            case .blue: 2
            case .alpha: 3
            case .gray: 4
            }
        }
        return Pixels(samples: samples, width: width, pixelBytes: 5, order: places)
    }

    /// The picture with no more channels than needed, and where each of the network's lies in a pixel; nil if they must be gathered.
    private func needed(of image: Image) -> (Image, [Int32]?) {
        if channels.allSatisfy({ $0 == .gray }) { return (image.gray(), channels.map { _ in 0 }) }
        let places: [Int32?] = channels.map { channel in
            switch channel {
            case .red: 0
            case .green: 1
            case .blue: 2
            case .alpha: image.channels == 4 ? 3 : nil
            case .gray: nil
            }
        }
        guard !places.contains(nil) else { return (image, nil) }
        return (image.channels == 1 ? image.rgb() : image, places.compactMap { $0 })
    }

    /// Writes the samples into a workspace's input by the network's description.
    func fill(_ workspace: Workspace, with pixels: Pixels) {
        pixels.samples.withUnsafeBufferPointer {
            workspace.fillInput(
                $0,
                rowBytes: pixels.width * pixels.pixelBytes,
                pixelBytes: pixels.pixelBytes,
                order: pixels.order
            )
        }
    }
}
