import SegNetNetworks
import Testing

@testable import SegNetFormats

@Suite("Fields of Caffe files that this package does not know")
struct CaffeFieldsTests {
    private static func notes(_ text: String) throws -> [String] {
        try CaffeNetworkReader.read(try CaffeNetwork(bytes: Array(text.utf8), file: "net.prototxt"), mean: [0]).notes
    }

    private static let input = "input: 'data' input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n"

    private static func layer(_ type: String, _ words: String) -> String {
        "layer { name: 'x' type: '\(type)' bottom: 'data' top: 'x'\n\(words) }"
    }

    private static let next = "Correct it, or delete it if it does not matter for running the network."
    private static let unknown = "a field that this package does not know."

    @Test(
        "are refused in layers that run, with their line and what may be meant",
        arguments: [
            (
                layer("Convolution", "convolution_param { num_output: 4 kernel_size: 3\nstrid: 2 }"),
                ":4: layer 'x' has strid: 2, \(unknown) Did you mean 'stride'? \(next)"
            ),
            // Before what follows from it.
            (
                layer("Convolution", "convolution_param { num_output: 4 kernal_size: 3 }"),
                ":3: layer 'x' has kernal_size: 3, \(unknown) Did you mean 'kernel_size'? \(next)"
            ),
            (
                layer("Convolution", "convolution_param { num_output: 4 kernel_size: 3 axis: 2 }"),
                ":3: layer 'x' has axis: 2, \(unknown) \(next)"
            ),
            (
                layer("Pooling", "poling_param { pool: AVE kernel_size: 2 }"),
                ":3: layer 'x' has poling_param { ... }, \(unknown) Did you mean 'pooling_param'? \(next)"
            ),
            (layer("ReLU", "magic: 'a' 'b'"), ":3: layer 'x' has magic: ab, \(unknown) \(next)"),
            (
                "layer { type: 'ReLU' bottom: 'data' top: 'x' magic: 1 }",
                ":2: layer 'relu_line2' has magic: 1, \(unknown) \(next)"
            ),
            (
                layer("ReLU", "exclude { phse: TEST }"),
                ":3: layer 'x' has phse: TEST, \(unknown) Did you mean 'phase'? \(next)"
            ),
            (
                "inputdim: 1\n" + layer("ReLU", ""),
                ":2: the network has inputdim: 1, \(unknown) Did you mean 'input_dim'? \(next)"
            ),
            (
                "layers { name: 'x' type: POOLING bottom: 'data' top: 'x' pooling_param { kernel_size: 2 stride: 2 round_mode: FLOOR } }",
                ":2: layer 'x' rounds the size of its map down (round_mode: FLOOR), from [1, 3, 8, 8] to [1, 3, 4, 4]; only rounding up "
                    + "is supported, as SegNet's Caffe does, which gives [1, 3, 4, 4]. Both are the same: delete the field, and run the "
                    + "network only at sizes where (size + 2 pad - kernel_size) is a multiple of the stride."
            ),
            (
                layer("Pooling", "pooling_param { kernel_size: 3 stride: 2 ceil_mode: false }"),
                ":3: layer 'x' rounds the size of its map down (ceil_mode: false), from [1, 3, 8, 8] to [1, 3, 3, 3]; only rounding up is "
                    + "supported, as SegNet's Caffe does, which gives [1, 3, 4, 4]. State a picture size where (size + 2 pad - "
                    + "kernel_size) is a multiple of the stride, so that both give the same, and delete the field."
            ),
            (
                """
                layer { name: 'a' type: 'ReLU' bottom: 'data' top: 'a' }
                layer { name: 'second' type: 'Pooling' bottom: 'a' top: 'x'
                pooling_param { pool: AVE kernel_h: 2 kernel_w: 4 pad_w: 1 stride: 3 ceil_mode: false } }
                """,
                ":4: layer 'second' rounds the size of its map down (ceil_mode: false), from [1, 3, 8, 8] to [1, 3, 3, 3]; only rounding "
                    + "up is supported, as SegNet's Caffe does, which gives [1, 3, 3, 3]. Both are the same: delete the field, and run "
                    + "the network only at sizes where (size + 2 pad - kernel_size) is a multiple of the stride."
            ),
            // Of a window that no map fits, nothing can be said.
            (
                layer("Pooling", "pooling_param { kernel_size: 2 stride: 0 ceil_mode: false }"),
                ":3: layer 'x' rounds the size of its map down (ceil_mode: false); only rounding up is supported, as SegNet's Caffe "
                    + "does. Where (size + 2 pad - kernel_size) is a multiple of the stride, both give the same: delete the field then."
            ),
            (
                layer("BN", "bn_param { slope_filler { type: 'constant' value: 1 } frozen: true }"),
                ":3: layer 'x' has slope_filler { ... }. This is the BN of PSPNet's Caffe, with a mean and a variance for each "
                    + "channel; SegNet's BN, which is supported, has only a scale and a shift. Write scale = slope / sqrt(variance "
                    + "+ eps) and shift = bias - mean * scale as the layer's two blobs, and bn_mode: INFERENCE in the description."
            ),
        ] as [(String, String)]
    )
    func refused(text: String, problem: String) {
        #expect(message { try Self.notes(Self.input + text) } == "net.prototxt" + problem)
    }

    @Test(
        "are passed over where they never change the result",
        arguments: [
            layer(
                "Convolution",
                """
                convolution_param { num_output: 4 kernel_size: 3 engine: CUDNN axis: 1 force_nd_im2col: true }
                param { lr_mult: 1 decay_mult: 0 share_mode: STRICT } propagate_down: false blobs_lr: 1 weight_decay: 1 strict_dim: false
                """
            ),
            layer(
                "Pooling",
                "pooling_param { kernel_size: 2 stride: 2 round_mode: CEIL ceil_mode: true engine: CAFFE }"
            ),
            layer("Softmax", "softmax_param { engine: CAFFE }"),
            "debug_info: true " + layer("ReLU", ""),
            // Of layers that do not run.
            layer("ReLU", "} layer { name: 'y' type: 'ReLU' bottom: 'x' top: 'y' magic: 1 include { phase: TRAIN }"),
            layer("ReLU", "} layer { name: 'y' type: 'MyLoss' bottom: 'x' top: 'y' my_param { magic: 1 }"),
        ] as [String]
    )
    func idle(text: String) throws {
        let notes = try Self.notes(Self.input + text)
        #expect(notes.allSatisfy { $0.contains("it matters for training only") }, "\(notes)")
    }

    @Test("do not hide that a layer's type is not supported")
    func unsupported() {
        #expect(
            message { try Self.notes(Self.input + Self.layer("PReLU", "prelu_param { channel_shared: true }")) }
                .hasPrefix("net.prototxt:2: layer 'x' is of type PReLU, which is not supported.")
        )
    }

    @Test("are noted in data layers")
    func dataLayers() throws {
        let notes = try Self.notes(
            "layer { name: 'data' type: 'Data' top: 'data' data_param { source: 'l' backend: LMDB mean_file: 'm' rand_skip: 3 }\n"
                + "transform_param { crop_size: 8 force_gray: true } }\nlayer { name: 'r' type: 'ReLU' bottom: 'data' top: 'r' }"
        )
        #expect(
            notes == [
                "layer 'data' (Data) is read as the network's input 'data'.",
                "layer 'data' (Data): this package does not know 'force_gray', 'mean_file', so what the file says there has no effect.",
            ]
        )
    }
}
