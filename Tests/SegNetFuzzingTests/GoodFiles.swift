import Foundation
import SegNetFuzzing

/// A small file of each format; PNGs and JPEGs are the campaign's own, other pictures and annotations those of the readers' tests.
enum GoodFiles {
    static let all = GoodFile.pictures + [safetensors, caffemodel, prototxt] + files

    /// The folder of the tests.
    static let tests = String(#filePath.dropLast("SegNetFuzzingTests/GoodFiles.swift".count))

    /// The folders of the tests in which there are such pictures and annotations.
    static let folders = ["SegNetImagesTests/Goldens/formats", "SegNetAnnotationsTests"].map { tests + $0 }

    private static let files: [GoodFile] = [
        "SegNetImagesTests/Goldens/formats/strips-lzw.tif", "SegNetImagesTests/Goldens/formats/geo-big-tiles.tif",
        "SegNetImagesTests/Goldens/formats/turned.webp", "SegNetImagesTests/Goldens/formats/transparent.gif",
        "SegNetImagesTests/Goldens/formats/palette4.bmp", "SegNetImagesTests/Goldens/formats/photo.heic",
        "SegNetAnnotationsTests/Files/coco-counts.json", "SegNetAnnotationsTests/Files/labelme.json",
        "SegNetAnnotationsTests/Files/label-studio.json", "SegNetAnnotationsTests/Files/cvat/train.xml",
        "SegNetAnnotationsTests/Files/yolo/labels/photo.txt",
    ]
    .compactMap { name in
        guard let format = FileFormat(fileName: name), let data = try? Data(contentsOf: URL(filePath: tests + name))
        else { return nil }
        return GoodFile(format: format, name: name, bytes: Array(data))
    }

    static let safetensors: GoodFile = {
        let header = """
            {"__metadata__":{"format":"segnet","network":"{\\"layers\\":[{\\"name\\":\\"conv1\\",\\"size\\":64}]}"},\
            "a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
            "a.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}}
            """
        let parts = SafetensorsParts(header: Array(header.utf8), data: (0..<32).map { UInt8($0) })
        return GoodFile(format: .safetensors, name: "small.safetensors", bytes: parts.bytes)
    }()

    /// NetParameter with a name, two layers, and blobs with a shape and packed floats.
    static let caffemodel: GoodFile = {
        func layer(_ name: String, outputs: UInt64) -> ProtobufField {
            let shape = ProtobufField(number: 1, value: .bytes([UInt8(outputs), 3]))
            let floats = (0..<(outputs * 3)).flatMap { [0, 0, UInt8($0), 0x3F] as [UInt8] }
            let blob: [ProtobufField] = [
                ProtobufField(number: 7, value: .message([shape])), ProtobufField(number: 5, value: .bytes(floats)),
            ]
            return ProtobufField(
                number: 100,
                value: .message([
                    ProtobufField(number: 1, value: .bytes(Array(name.utf8))),
                    ProtobufField(number: 2, value: .bytes(Array("Convolution".utf8))),
                    ProtobufField(number: 7, value: .message(blob)),
                ])
            )
        }
        let name = ProtobufField(number: 1, value: .bytes(Array("small".utf8)))
        let bytes = ProtobufField.write([name, layer("conv1", outputs: 4), layer("conv2", outputs: 5)])
        return GoodFile(format: .caffemodel, name: "small.caffemodel", bytes: bytes)
    }()

    static let prototxt = GoodFile(
        format: .prototxt,
        name: "small.prototxt",
        bytes: Array(
            """
            name: "small" # a comment with { a brace
            input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
            layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
              convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
            layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { pool: MAX kernel_size: 2 } }
            """.utf8
        )
    )
}
