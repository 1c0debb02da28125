public import Foundation
public import SegNet

/// A model that comes inside this library, so that a program needs no other file.
///
///     import SegNetModels
///
///     let segmenter = try Segmenter.bundled()
///     let street = try segmenter.segment(Image(path: "street.jpg"))
///
/// What each was trained on, how well it does, and the terms of its data: `docs/models/`.
public enum BundledModel: String, Sendable, CaseIterable {
    /// SegNet, 11 classes of street scenes; 16 MiB, in 4 bits. The default.
    case streets = "segnet-streets"
    /// SegNet of a quarter of the width, the same classes, from the same pictures; 1.8 MiB, and ten times as fast on one thread.
    case streetsSmall = "segnet-streets-small"
    /// SegNet-Basic, the same classes, trained on CamVid alone; 1.4 MB, and some four times as fast.
    case basicCamVid = "segnet-basic-camvid"
    /// Bayesian SegNet of a quarter of the width, the same classes, for `Segmenter.Options(sampling: true)`: how certain it is of each
    /// pixel; 1.8 MiB.
    case bayesianCamVid = "bayesian-segnet-camvid"

    /// Its file, `NAME.safetensors`, in the library's resources.
    /// - Throws: `BundledModelError` if the program was moved without the resources.
    public var url: URL {
        get throws(BundledModelError) {
            guard let url = Bundle.module.url(forResource: rawValue, withExtension: "safetensors") else {
                throw BundledModelError(model: self, folder: Bundle.module.bundlePath)
            }
            return url
        }
    }
}

/// A bundled model's file is missing.
public struct BundledModelError: LocalizedError, Hashable, CustomStringConvertible {
    public let model: BundledModel
    /// Where it was looked for.
    public let folder: String

    public var description: String {
        "\(folder): holds no \(model.rawValue).safetensors; copy the folder 'segnet-swift_SegNetModels.resources' from the build folder "
            + "next to the program, or give Segmenter(model:) a file."
    }
    public var errorDescription: String? { description }
}

extension Segmenter {
    /// A segmenter with a model that comes with this library.
    /// - Throws: `BundledModelError` if its file is missing, `MemoryError`, and what `init(model:network:options:)` throws.
    public static func bundled(_ model: BundledModel = .streets, options: Options = Options()) throws -> Segmenter {
        try Segmenter(model: model.url, options: options)
    }
}
