internal import SegNetCPU
internal import SegNetData
internal import SegNetImages
internal import SegNetNetworks
internal import SegNetPlatform

/// How a segmenter makes a network's input of a picture: it chooses the channels and resizes. A training does so in `Learner.fill`.
struct NetworkInput: Sendable {
    /// Samples at the network's size.
    struct Pixels {
        /// 8 bits each, interleaved.
        var samples: [UInt8]
        var width: Int
        var height: Int
        /// Bytes per pixel.
        var pixelBytes: Int
        /// 16 bits each.
        var planes: [[UInt16]]
        var order: InputOrder
    }

    private let network: String
    /// What each channel of the network holds.
    private let channels: [InputChannel]
    /// Channels that no picture has, each with a plane of its own.
    private let planeChannels: [InputChannel]
    /// The words of a list's line: `rgb depth`.
    private let files: [String]

    init(_ network: Network) {
        self.network = network.name
        channels = network.input.channels
        let inputs = InputFiles(of: network.input)
        planeChannels = inputs.planeChannels
        files = inputs.words
    }

    /// The samples that the network needs, resized bilinearly.
    /// - Throws: `SegmenterError` if the network wants a channel that is not there; `ImageError` if the size is beyond what a picture can
    ///   have.
    func pixels(of picture: MultichannelImage, width: Int, height: Int) throws -> Pixels {
        let planes = try planeChannels.map { channel in
            guard let plane = picture.planes[channel.rawValue] else {
                throw missing(channel, planes: picture.planes.keys.sorted())
            }
            return try plane.resized(width: width, height: height).samples
        }
        guard planeChannels.count < channels.count else {
            return Pixels(
                samples: [],
                width: width,
                height: height,
                pixelBytes: 0,
                planes: planes,
                order: try order([])
            )
        }
        guard let image = picture.image else {
            throw missing(channels.first(where: \.isOfPicture) ?? .red, planes: picture.planes.keys.sorted())
        }
        let needed = needed(of: image)
        let resized = try needed.image.resized(width: width, height: height)
        if let bytes = needed.bytes {
            return Pixels(
                samples: resized.pixels,
                width: width,
                height: height,
                pixelBytes: resized.channels,
                planes: planes,
                order: try order(bytes)
            )
        }
        // Gray in addition to colours: the gray value is made from the resized colours, as a fifth byte.
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
        return Pixels(
            samples: samples,
            width: width,
            height: height,
            pixelBytes: 5,
            planes: planes,
            order: try order(.rgb + [.alpha, .gray])
        )
    }

    /// The picture with no more channels than needed, and what its bytes hold; nil if they must be gathered.
    private func needed(of image: Image) -> (image: Image, bytes: [InputChannel]?) {
        let wanted = channels.filter(\.isOfPicture)
        if wanted.allSatisfy({ $0 == .gray }) { return (image.gray(), [.gray]) }
        if wanted.contains(.gray) || wanted.contains(.alpha) && image.channels != 4 { return (image, nil) }
        return (image.channels == 1 ? image.rgb() : image, .rgb + [.alpha])
    }

    private func order(_ bytes: [InputChannel]) throws(SegmenterError) -> InputOrder {
        do throws(InputOrder.MissingChannel) {
            return try InputOrder(channels, bytes: bytes, planes: planeChannels)
        } catch {
            throw missing(error.channel, planes: [])
        }
    }

    private func missing(_ channel: InputChannel, planes: [String]) -> SegmenterError {
        let given = planes.isEmpty ? "a picture alone" : "the picture with \(planes.joined(separator: ", "))"
        return SegmenterError(
            network: network,
            reason: "its input has the channel '\(channel)', which \(given) does not have; give it with the picture: "
                + "as a plane of a MultichannelImage, or in a list file with a line \"\(files.joined(separator: " "))\" for each."
        )
    }

    /// Writes the samples into a workspace's input by the network's description.
    func fill(_ workspace: Workspace, with pixels: Pixels) {
        workspace.fillInput(
            InputPicture(bytes: pixels.samples, pixelBytes: pixels.pixelBytes, planes: pixels.planes),
            order: pixels.order
        )
    }
}
