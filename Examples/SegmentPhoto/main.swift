// Says what is on a photo, pixel by pixel, and paints it over the photo.
//
//     swift run -c release SegmentPhoto PHOTO [MODEL]
//
// MODEL is a .safetensors file or the name of a bundled model ('segnet models' lists them); without it the default one is taken.

import Foundation
import SegNet

/// Segments one photo.
func segment(_ photo: String, model: String?) throws -> Segmentation {
    let store = ModelStore.standard
    let segmenter = try Segmenter(model: model.map { try store.resolve($0) } ?? store.fallback())
    return try segmenter.segment(try Image(path: photo))
}

do {
    guard let photo = CommandLine.arguments.dropFirst().first else {
        print("SegmentPhoto: give a photo: SegmentPhoto PHOTO [MODEL]")
        exit(1)
    }
    let result = try segment(photo, model: CommandLine.arguments.dropFirst(2).first)
    for part in result.shares { print("\(part.name): \(Int((100 * part.share).rounded())) %") }
    let painted = URL(filePath: photo).deletingPathExtension().appendingPathExtension("overlay.png")
    try result.overlay().write(to: painted)
    print(painted.relativePath)
} catch {
    print("SegmentPhoto: \(error)")
    exit(1)
}
