import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("Error messages")
struct ErrorMessageTests {
    @Test(
        "of a command line that is not understood, with exit code 64",
        arguments: [
            (["predict", "--model", "m.safetensors"], "Please name at least one picture, folder or list."),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--opacity", "2"],
                "Please give '--opacity' a number in 0...1; found 2.0."
            ),
            (
                ["predict", "a.png", "--save", "mask", "--output", "mymask.PNG"],
                "Please give '--output' a folder; for one result in a file, redirect it: '--save overlay --output - > mymask.PNG'."
            ),
            (
                ["predict", "-", "-", "--model", "m.safetensors"],
                "Please give '-' once: standard input holds one picture."
            ),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--threads", "0"],
                "Please give '--threads' a number in 1...1024; found 0."
            ),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--save", "uncertainty"],
                "Please give '--samples' with '--save uncertainty', for example '--samples 40'."
            ),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--samples", "0"],
                "Please give '--samples' a number in 1...100000; found 0."
            ),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--samples", "4", "--save", "logits"],
                "Please leave 'logits' out with '--samples'; save 'probabilities', the mean over the samples, instead."
            ),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--seed", "4"],
                "Please give '--seed' only with '--samples'."
            ),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--save", "mask,colour"],
                "The value 'mask,colour' is invalid for '--save <list>': 'colour' is not one of mask, color, overlay, confidence, "
                    + "logits, probabilities, uncertainty, variance, cutout:CLASS, polygons, shares, blob:NAME."
            ),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--save", "mask,", "color"],
                "The value 'mask,' is invalid for '--save <list>': A name is missing before or after a comma; leave spaces out, or quote "
                    + "the list."
            ),
            (
                ["predict", "a.png", "--model", "m.safetensors", "--precision", "int8"],
                "The value 'int8' is invalid for '--precision <type>'. Please provide one of 'float32' and 'float16'."
            ),
            (
                ["train", "--output", "run", "--storage", "bfloat16"],
                "storage: needs one of float32, float16; found 'bfloat16'. Did you mean 'float16'?"
            ),
            (["info"], "Please name a model, a network or an architecture, or give '--list' or '--machine'."),
            (
                ["info", "segnet", "--machine"],
                "Please give either '--machine' or a model, not both; found 'segnet'."
            ),
            (
                ["info", "segnet", "--network", "a.prototxt"],
                "Please give '--network' only with a .caffemodel; 'segnet' is a network itself."
            ),
            (
                ["info", "b.prototxt", "--network", "a.prototxt"],
                "Please give '--network' only with a .caffemodel; 'b.prototxt' is a network itself."
            ),
            (["info", "segnet", "--classes", "0"], "Please give '--classes' a number in 1...65535; found 0."),
            (["info", "segnet", "--width", "-1"], "Please give '--width' a number above 0 and up to 16; found -1.0."),
            (["info", "segnet", "--width", "99"], "Please give '--width' a number above 0 and up to 16; found 99.0."),
            (
                ["info", "net.prototxt", "--classes", "11"],
                "Please give '--classes' and '--width' only with an architecture ('segnet info --list'); "
                    + "'net.prototxt' is a file, which states both."
            ),
            (
                ["info", "net.prototxt", "--fc", "11"],
                "Please give '--fc' only with an architecture ('segnet info --list'); 'net.prototxt' is a file, which states it."
            ),
            (
                ["info", "net.prototxt", "--no-batch-normalization"],
                "Please give '--no-batch-normalization' only with an architecture ('segnet info --list'); 'net.prototxt' is a file, which "
                    + "states it."
            ),
            (["info", "deconvnet", "--fc", "0"], "Please give '--fc' a number in 1...65535; found 0."),
            (
                ["info", "segnet", "--fc", "512"],
                "Please leave '--fc' out: segnet has no layers fc6 and fc7; those with them are fcn-32s, fcn-16s, fcn-8s, fcn-8s-at-once, "
                    + "deeplab-largefov, deconvnet."
            ),
            (
                [
                    "convert", "a.caffemodel", "b.onnx", "--architecture", "segnet-basic", "--classes", "3", "--fc",
                    "512",
                ],
                "Please leave '--fc' out: segnet-basic has no layers fc6 and fc7; those with them are fcn-32s, fcn-16s, fcn-8s, "
                    + "fcn-8s-at-once, deeplab-largefov, deconvnet."
            ),
            (
                ["benchmark", "networks", "--fc", "512"],
                "Please leave '--fc' out: none of segnet, segnet-basic has the layers fc6 and fc7; those with them are fcn-32s, "
                    + "fcn-16s, fcn-8s, fcn-8s-at-once, deeplab-largefov, deconvnet."
            ),
            (
                ["info", "segnet", "--size", "480"],
                "The value '480' is invalid for '--size <WxH>': a size is WIDTHxHEIGHT, such as 480x360; sides are in "
                    + "1...1048576."
            ),
            (
                ["predict", "a.png", "--size", "480"],
                "The value '480' is invalid for '--size <WxH|native>': a size is WIDTHxHEIGHT, such as 480x360, or 'native'."
            ),
            (
                ["train", "--output", "run", "--size", "480"],
                "size: needs [width, height] or WIDTHxHEIGHT, such as 480x360, each of 1...16384; found 480."
            ),
            (
                ["train", "--output", "run", "--set", "crop=240x240"],
                "--set: there is no setting 'crop'. Did you mean 'augmentation.crop'? See the list of all settings ('segnet recipe explain')."
            ),
            (
                ["info", "segnet", "--model", "a.safetensors"],
                "Please name one model; found 'segnet' and '--model a.safetensors'."
            ),
            (["info", "--list", "--machine"], "Please give either '--list' or '--machine', not both."),
            (["info", "--list", "segnet"], "Please give either '--list' or a model, not both; found 'segnet'."),
            (
                ["convert", "a.caffemodel", "b.onnx", "--architecture", "fcn-8", "--classes", "3"],
                "The value 'fcn-8' is invalid for '--architecture <name>': There is no architecture 'fcn-8'. Did you mean 'fcn-8s'? 'segnet info --list' shows all."
            ),
            (
                ["convert", "a.caffemodel", "b.onnx", "--network", "a.prototxt", "--batch-normalization"],
                "Please give '--batch-normalization' only with '--architecture'; a .prototxt or .safetensors states it already."
            ),
            (
                ["predict", "a.png", "--mean", "1,x"],
                "The value '1,x' is invalid for '--mean <numbers>'"
            ),
            (
                ["dataset", "init", "mine", "--classes", "ground,,plant"],
                "Please correct '--classes ground,,plant'. A name is missing before or after a comma; leave spaces out, or quote the list."
            ),
            (
                ["dataset", "check", "--dataset", "synthetic", "--inputs", "gray,"],
                "Please correct '--inputs gray,'. A name is missing before or after a comma; leave spaces out, or quote the list."
            ),
            (
                ["convert", "a.pth", "b.onnx"],
                "Please give a .caffemodel or .safetensors file to read, or a bundled model by name ('segnet models'); found 'a.pth'."
            ),
            (
                ["convert", "a.safetensors", "b.pth"],
                "Please give the file to write a name that ends in .safetensors, .caffemodel or .onnx; found 'b.pth'."
            ),
            (
                ["convert", "a.caffemodel", "b.onnx"],
                "Please give the network's .prototxt with '--network', or an '--architecture'; a .caffemodel holds weights only."
            ),
            (
                ["convert", "a.caffemodel", "b.onnx", "--network", "a.prototxt", "--architecture", "segnet"],
                "Please give either '--network' or '--architecture', not both."
            ),
            (
                ["convert", "a.caffemodel", "b.onnx", "--architecture", "segnet"],
                "Please say with '--classes' how many classes the model has."
            ),
            (
                ["convert", "a.caffemodel", "b.onnx", "--network", "a.prototxt", "--classes", "3"],
                "Please give '--classes' only with '--architecture'; a .prototxt or .safetensors states it already."
            ),
            (
                ["convert", "a.safetensors", "b.onnx", "--network", "a.prototxt"],
                "Please leave '--network' out; a .safetensors model contains its network."
            ),
            (
                ["convert", "a.safetensors", "b.safetensors", "--unpool", "standard"],
                "Please give '--unpool' only when writing .onnx; found 'b.safetensors'."
            ),
            (
                ["convert", "a.safetensors", "b.caffemodel", "--precision", "float16"],
                "Please leave '--precision float16' out; Caffe stores float32."
            ),
            (
                ["convert", "a.safetensors", "b.caffemodel", "--precision", "int8"],
                "Please leave '--precision int8' out; Caffe stores float32."
            ),
            (
                ["convert", "a.safetensors", "b.onnx", "--precision", "int8"],
                "Please give '--precision int8' only when writing .safetensors; .onnx takes float32 or float16."
            ),
            (
                ["convert", "a.safetensors", "b.onnx", "--precision", "int4"],
                "Please give '--precision int4' only when writing .safetensors; .onnx takes float32 or float16."
            ),
            (
                ["convert", "a.safetensors", "b.safetensors", "--classes-from", "camvid"],
                "Please give '--classes-from' one of camvid11, camvid12, sunrgbd37, sunrgbd37-without-void, voc21, cityscapes19; "
                    + "found 'camvid'."
            ),
            (
                ["convert", "a.safetensors", "b.caffemodel", "--classes-from", "camvid11"],
                "Please give '--classes-from' only when writing .safetensors or .onnx, which hold names; found 'b.caffemodel'."
            ),
            (["benchmark", "--repeat", "0"], "Please give '--repeat' a number in 1...10000; found 0."),
        ]
    )
    func usage(arguments: [String], message: String) { expectRefusal(of: arguments, message, isAll: true) }

    @Test("of a model that cannot be read name the file and the next step, with exit code 1")
    func models() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        for (model, message) in [
            (
                "none.pth",
                "does not have the file extension of a model. Give a .safetensors file, or a .caffemodel with its network file (--network)."
            ),
            (
                "none.caffemodel",
                "a .caffemodel holds weights only; its network is missing. Give the network's .prototxt as the network file (--network), too."
            ),
        ] {
            let result = segnet("predict", scratch("a.png"), "--model", model, "--output", scratch("out"))
            #expect(result.errors == "\(model): \(message)\n")
            #expect(result.exitCode == 1)
        }
        // Nothing was made where nothing could be done.
        #expect(!FileManager.default.fileExists(atPath: scratch("out")))
    }

    @Test(
        "of a conversion that would replace what it reads, with exit code 1",
        arguments: [
            (["a.safetensors", "./a.safetensors"], "a.safetensors"),
            (["a.caffemodel", "a.b/../net.caffemodel", "--network", "net.prototxt"], "net.prototxt"),
        ]
    )
    func overwriting(arguments: [String], file: String) {
        let result = segnet(["convert"] + arguments)
        #expect(result.errors == "\(file): it is being read, so choose another name to write to.\n")
        #expect(result.exitCode == 1)
    }

    @Test("of a conversion whose network would replace somebody's own, with exit code 1")
    func foreignDescription() throws {
        let scratch = try ScratchFolder()
        try scratch.model("a.safetensors")
        try scratch.write("mine", "b.prototxt")
        let words = ["convert", scratch("a.safetensors"), scratch("b.caffemodel")]
        let refused = segnet(words)
        #expect(refused.exitCode == 1)
        #expect(
            refused.errors
                == "\(scratch("b.prototxt")): already exists, and the network would be written into it; choose another name to write "
                + "to, or remove it.\n"
        )
        #expect(try String(contentsOfFile: scratch("b.prototxt"), encoding: .utf8) == "mine")
        // Both together are an earlier conversion.
        try scratch.write("old", "b.caffemodel")
        #expect(segnet(words).exitCode == 0)
        #expect(try String(contentsOfFile: scratch("b.prototxt"), encoding: .utf8) != "mine")
    }

    @Test("of an unknown architecture name the closest one, if there is one")
    func unknownArchitecture() {
        let all = "'segnet info --list' shows the architectures, 'segnet models' the models."
        let basic = "Did you mean 'segnet-basic'? "
        for (name, hint) in [
            ("segnet-basix", basic), ("segnet-foo", "Did you mean 'segnet'? "),
            ("fcn", "Did you mean 'fcn-32s'? "), ("resnet-50", ""),
        ] {
            let result = segnet("info", name)
            #expect(
                result.errors == "\(name): is neither a file nor an architecture nor a bundled model. \(hint)\(all)\n"
            )
            #expect(result.exitCode == 1)
        }
    }

    @Test("of a model in the place of an architecture say so")
    func modelAsArchitecture() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        let result = segnet("benchmark", "networks", scratch("m.safetensors"))
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains(
                "'\(scratch("m.safetensors"))' is a model; please name an architecture ('segnet info --list' shows all)."
            ),
            "\(result.errors)"
        )
    }

    @Test("of --sync-statistics without ranks say why it is refused")
    func statisticsWithoutRanks() throws {
        let scratch = try ScratchFolder()
        let result = segnet(
            "train",
            "--dataset",
            "synthetic",
            "--output",
            scratch("run"),
            "--sync-statistics"
        )
        #expect(result.exitCode == 64)
        #expect(result.errors.contains("Please leave '--sync-statistics' out: one process trains"), "\(result.errors)")
        #expect(scratch.files().isEmpty)
    }

    @Test("of a folder that cannot be made name the option that was given")
    func otherFolders() throws {
        let scratch = try ScratchFolder()
        try scratch.write("x", "file")
        try scratch.write("dark 0 0 0\nbright 255 255 255\n", "d/classes.txt")
        try scratch.picture("d/images/test/a.png")
        try FileManager.default.createDirectory(atPath: scratch("d/labels/test"), withIntermediateDirectories: true)
        try LabelMap(width: 24, height: 18, ids: Array(repeating: 0, count: 24 * 18)).write(
            path: scratch("d/labels/test/a.png")
        )
        try scratch.model("m.safetensors", classes: 2)
        let result = segnet(
            [
                "evaluate", "--model", scratch("m.safetensors"), "--dataset", "folder", "--data", scratch("d"),
                "--save-masks", scratch("file/x"),
            ]
        )
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains(
                "\(scratch("file/x")): the folder cannot be made; choose another '--save-masks', or check whether a file has that name, "
                    + "and the permissions.\n"
            ),
            "\(result.errors)"
        )
        let initial = segnet("dataset", "init", scratch("file/x"))
        #expect(initial.errors.contains(": the folder cannot be made; choose another folder, or"), "\(initial.errors)")
    }

    @Test("of a model that is not there say so and what to check")
    func missingModel() {
        let result = segnet("info", "none.safetensors")
        #expect(
            result.errors == "none.safetensors: cannot be opened (No such file or directory). Check the path.\n"
        )
    }

    @Test("of an unknown blob name the closest one")
    func unknownBlob() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.model("m.safetensors")
        let result = segnet("predict", scratch("a.png"), "--model", scratch("m.safetensors"), "--save", "blob:pol4")
        #expect(
            result.errors
                == "network 'segnet-basic': it has no blob 'pol4'. Did you mean 'pool4'? See the network's layers ('segnet info').\n"
        )
        #expect(result.exitCode == 1)
    }

    #if os(Linux)
        @Test("of an output folder that takes no files come before the first picture")
        func outputIsReadOnly() throws {
            let scratch = try ScratchFolder()
            try scratch.picture("a.png")
            try scratch.model("m.safetensors")
            // No one may write here, not even root.
            let result = segnet(
                "predict",
                scratch("a.png"),
                "--model",
                scratch("m.safetensors"),
                "--output",
                "/proc"
            )
            #expect(
                result.errors
                    == "/proc: no file can be written into the folder; choose another '--output', or check its permissions and the disk.\n"
            )
            #expect(result.exitCode == 1)
        }
    #endif

    @Test("the test for writing leaves nothing behind")
    func probe() throws {
        let scratch = try ScratchFolder()
        try OutputFolder.prepare(scratch("a/b"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch("a/b")).isEmpty)
    }

    @Test("of an output folder that is a file")
    func outputIsFile() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.write("", "file")
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("a.png"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("file")
        )
        #expect(
            result.errors.hasSuffix(
                "\(scratch("file")): the folder cannot be made; choose another '--output', or check whether a file has that name, and the permissions.\n"
            )
        )
        #expect(result.exitCode == 1)
    }
}
