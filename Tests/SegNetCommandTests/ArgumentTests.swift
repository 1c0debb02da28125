import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("What is typed")
struct ArgumentTests {
    @Test(
        "a command that is none gets the closest one, a picture the command for pictures",
        arguments: [
            (["predct", "a.jpg"], "There is no command 'segnet predct'. Did you mean 'segnet predict'?"),
            (["dataset", "chek"], "There is no command 'segnet dataset chek'. Did you mean 'segnet dataset check'?"),
            (["help", "predct"], "There is no command 'segnet predct'. Did you mean 'segnet predict'?"),
            (["help", "dataset", "chek"], "There is no command 'segnet dataset chek'. Did you mean"),
            (
                ["photo.jpg"],
                "To segment pictures, write 'segnet predict photo.jpg'; 'segnet photo.jpg' names no command."
            ),
            (["frobnicate"], "There is no command 'segnet frobnicate'; there are predict, train, recipe, evaluate,"),
            (
                [URL(filePath: #filePath).path],
                "To segment pictures, write 'segnet predict \(URL(filePath: #filePath).path)'; 'segnet \(URL(filePath: #filePath).path)' names no command."
            ),
        ]
    )
    func commands(words: [String], message: String) {
        let result = segnet(words)
        #expect(result.exitCode == 64 && result.errors.contains(message), "\(result.errors)")
    }

    @Test(
        "a mistake that a command finds after the parser shows that command's usage",
        arguments: [
            (["convert", "a"], "Usage: segnet convert [<options>] <in> <out>\n  See 'segnet convert --help'"),
            (["dataset", "chek"], "Usage: segnet dataset <subcommand>\n  See 'segnet dataset --help'"),
            (["recipe", "explain", "x"], "Usage: segnet recipe explain [<key>]"),
            (["predct"], "Usage: segnet <subcommand>\n  See 'segnet --help'"),
        ]
    )
    func usage(words: [String], usage: String) {
        let text = SegNetCommand.text(of: ValidationError("Please give less."), words)
        #expect(text.hasPrefix("Error: Please give less.\n\(usage)"), "\(text)")
        #expect(text.hasSuffix(" for more information.\n"), "\(text)")
    }

    @Test(
        "an option that names a setting, or abbreviates it, leads to the setting",
        arguments: [
            (["train", "--lr", "0.1"], "There is no option '--lr'. Did you mean '--learning-rate'? "),
            (["train", "--bs=4"], "There is no option '--bs'. Did you mean '--batch-size'? "),
            (["train", "--arch", "segnet"], "There is no option '--arch'. Did you mean '--architecture'? "),
            (["train", "--aug", "flip"], "There is no option '--aug'. Did you mean '--set augmentation.KEY=VALUE'? "),
            (
                ["train", "--weight-decay", "0"],
                "There is no option '--weight-decay'. Did you mean '--set optimizer.weight-decay=VALUE'? "
                    + "'segnet recipe explain optimizer.weight-decay' says what it takes."
            ),
            (["compare", "p", "--lr", "0.1"], "There is no option '--lr'. Did you mean '--set learning-rate=VALUE'? "),
            (["recipe", "explain", "lr"], "There is no setting 'lr'. Did you mean 'learning-rate'? "),
            (["recipe", "explain", "crop"], "There is no setting 'crop'. Did you mean 'augmentation.crop'? "),
        ]
    )
    func settings(words: [String], message: String) {
        let result = segnet(words + (words[0] == "train" ? ["--output", "/nowhere/run"] : []))
        #expect(result.exitCode == 64 && result.errors.contains(message), "\(result.errors)")
    }

    @Test("a seed that is no whole number", arguments: [["demo"], ["dataset", "preview"], ["dataset", "synthesize"]])
    func seed(command: [String]) {
        let result = segnet(command + ["--seed", "x"])
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains(
                "invalid for '--seed <number>': a whole number in 0...18446744073709551615 is needed."
            ),
            "\(result.errors)"
        )
    }

    @Test(
        "a data set without its kind: what to add",
        arguments: [["tune", "crf"], ["evaluate"], ["dataset", "check"], ["dataset", "weights"]]
    )
    func dataset(command: [String]) {
        let named = segnet(command + ["--data", "sets/CamVid/"])
        #expect(named.exitCode == 64)
        #expect(
            named.errors.hasPrefix(
                "Please say with '--dataset' what kind of data set 'sets/CamVid/' is, for example '--dataset camvid'. There are camvid, camvid12,"
            ),
            "\(named.errors)"
        )
        let unnamed = segnet(command)
        #expect(
            unnamed.errors.hasPrefix(
                "Please say with '--dataset' what kind of data set it is, for example '--dataset folder'. There are camvid,"
            ),
            "\(unnamed.errors)"
        )
        #expect(segnet(command + ["--help"]).exitCode == 0)
        #expect(segnet(command + ["--dataset"]).errors.hasPrefix("Missing value for '--dataset"))
    }

    @Test("a data set's folder without its option: what to write", arguments: ["check", "weights", "preview"])
    func folderAlone(command: String) {
        expectRefusal(
            of: ["dataset", command, "--dataset", "folder", "mine", "--colored"],
            "Please give the data set's folder with '--data': '--data mine'.",
            isAll: true
        )
    }

    @Test("the help of a command that is there is not refused", arguments: [[], ["predict"], ["tune", "crf"]])
    func help(words: [String]) throws {
        #expect(try SegNetCommand.words(["help"] + words) == ["help"] + words)
    }

    @Test("a file name that begins with a dash is not taken for the help")
    func dash() throws {
        let result = segnet("predict", "-dash.jpg")
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains(
                "'-dash.jpg' begins with a dash, as options do; for a file of that name write './-dash.jpg'."
            ),
            "\(result.errors)"
        )
        #expect(try SegNetCommand.words(["predict", "--", "-dash.jpg"]) == ["predict", "--", "-dash.jpg"])
        #expect(try SegNetCommand.words(["predict", "-", "-h"]) == ["predict", "-", "-h"])
    }

    @Test(
        "a number below 0 is a value, which is refused as one",
        arguments: [
            (["predict", "a.jpg", "--threads", "-1"], "Please give '--threads' a number in 1...1024; found -1."),
            (["train", "--output", "r", "--threads", "-1"], "Please give '--threads' a number in 1...1024; found -1."),
            (
                ["train", "--output", "r", "--learning-rate", "-0.5"],
                "learning-rate: needs a number above 0; found -0.5."
            ),
            (
                ["train", "--output", "r", "--iterations", "-5"],
                "iterations: needs a whole number in 1...1000000000; found -5."
            ),
            (["info", "segnet", "--size", "-480x360"], "The value '-480x360' is invalid for '--size <WxH>'"),
            (
                ["dataset", "synthesize", "--output", "o", "--count", "-3"],
                "Please give '--count' a number in 1...1000000; found -3."
            ),
            (
                ["dataset", "synthesize", "--output", "o", "--size", "90000x8"],
                "Please give '--size' sides of at most 16384 pixels; found 90000x8."
            ),
        ]
    )
    func negative(words: [String], message: String) {
        let result = segnet(words)
        #expect(result.exitCode == 64 && result.errors.contains(message), "\(result.errors)")
        #expect(!result.errors.contains("Missing value"))
    }

    @Test("so is a list that begins with one; a name with a dash in front is not")
    func negativeLists() throws {
        #expect(
            try SegNetCommand.words(["convert", "a", "b", "--mean", "-1,2,3"]) == [
                "convert", "a", "b", "--mean=-1,2,3",
            ]
        )
        for words in [
            ["predict", "-5abc.png"], ["info", "--json", "-1.png"], ["predict", "--skip-existing", "-5e.png"],
        ] {
            #expect(segnet(words).errors.contains("'\(words.last ?? "")' begins with a dash"), "\(words)")
        }
    }

    @Test(
        "an empty word names no folder and no file",
        arguments: [
            (["dataset", "init", ""], "init"), (["dataset", "synthesize", "--output", ""], "--output"),
            (["evaluate", "--dataset", "folder", "--predictions="], "--predictions"),
            (["compare", "plan.yaml", "--output", ""], "--output"), (["predict", "--", ""], "--"),
        ]
    )
    func emptyWords(words: [String], before: String) {
        let result = segnet(words)
        #expect(
            result.exitCode == 64
                && result.errors.contains(
                    "'\(before)' is followed by an empty word (''), perhaps from a variable that is not set."
                ),
            "\(result.errors)"
        )
    }

    @Test("the suffix of label names may be empty")
    func emptySuffix() throws {
        let words = ["train", "--label-suffix", "", "--label-suffix=", "--set", "title="]
        #expect(try SegNetCommand.words(words) == words)
    }

    @Test(
        "a finished model to start from brings its network and weights: no option takes others",
        arguments: [
            (["--model", "m.safetensors"], "--model"), (["--width", "0.5"], "--width"),
            (["--architecture", "segnet"], "--architecture"),
            (["--no-batch-normalization"], "--no-batch-normalization"),
            (["--set", "encoder=vgg.caffemodel"], "--set encoder=vgg.caffemodel"),
        ]
    )
    func fromAModel(words: [String], option: String) {
        let result = segnet(["train", "--from", "segnet-basic-camvid", "--data", "d", "--output", "r"] + words)
        #expect(
            result.exitCode == 64 && result.errors.contains("Please leave '\(option)' out: '--from' takes the network"),
            "\(result.errors)"
        )
    }

    @Test(
        "nor does a recipe that names no pictures",
        arguments: ["epochs: 1\n", "epochs: 1\ndatasets: []\n"]
    )
    func recipeWithoutData(text: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write(text, "r.yaml")
        let result = segnet("train", "--config", scratch("r.yaml"), "--output", scratch("run"))
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains(
                "r.yaml: no training data was given; name a data set in the recipe ('dataset' and 'data', or 'datasets'), or by options (--dataset, "
                    + "with --data FOLDER)."
            ),
            "\(result.errors)"
        )
        // Another mistake then: the pictures are named.
        let named = segnet(
            "train",
            "--config",
            scratch("r.yaml"),
            "--output",
            scratch("run"),
            "--dataset",
            "folder",
            "--data",
            scratch("none")
        )
        #expect(named.exitCode == 1 && !named.errors.contains("no training data"), "\(named.errors)")
    }

    @Test("training does not take the working folder for CamVid")
    func dataset() throws {
        let result = segnet("train", "--architecture", "segnet-basic", "--output", "/nowhere/run")
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains(
                "train: no training data was given; name a data set (--dataset, with --data FOLDER), or a recipe (--config)."
            ),
            "\(result.errors)"
        )
        let named = segnet("train", "--data", "sets/mine", "--output", "/nowhere/run")
        #expect(
            named.exitCode == 64
                && named.errors.hasPrefix(
                    "Please say with '--dataset' what kind of data set 'sets/mine' is, for example '--dataset folder'."
                ),
            "\(named.errors)"
        )
    }

    @Test("a misspelled --quiet leads to it", arguments: [["predict", "a.png", "--quite"], ["models", "--quit"]])
    func misspelledQuiet(words: [String]) {
        let result = segnet(words)
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains("Unknown option '\(words[words.count - 1])'. Did you mean '--quiet'?"),
            "\(result.errors)"
        )
    }

    @Test("names that are not UTF-8 are for pictures and lists; as others they are refused before anything is made")
    func rawNames() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        let raw = RawFileName.text(Array(scratch("n").utf8) + [0xFF])
        for words in [
            ["predict", scratch("a.png"), "--model", raw], ["predict", scratch("a.png"), "--output=\(raw)"],
            ["train", "--dataset", "folder", "--data", "x", "--output", raw], ["train", "--resume", raw],
            ["dataset", "check", "--dataset", "folder", "--data", raw], ["convert", raw, "b.safetensors"],
        ] {
            let result = segnet(words)
            #expect(result.exitCode == 64, "\(words)")
            #expect(
                result.errors.contains(
                    "/n%FF' contains bytes that are not UTF-8. Pictures and lists of them may have such names; "
                ),
                "\(result.errors)"
            )
        }
        #expect(RawFileName.names(in: scratch("."))?.contains { $0.hasPrefix("n") } == false)
    }

    @Test("a folder given as a model is answered with the model inside")
    func folder() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.write("", "run/x.txt")
        for name in ["a", "best", "last"] { try scratch.model("run/\(name).safetensors") }
        let result = segnet("predict", scratch("a.png"), "--model", scratch("run"), "--output", scratch("out"))
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains(
                "\(scratch("run")): is a folder, not a model. Give the file \(scratch("run"))/best.safetensors."
            ),
            "\(result.errors)"
        )
        for option in ["--model", "--encoder"] {
            let training = segnet(
                [
                    "train", "--dataset", "synthetic", "--class-weights", "none", "--iterations", "1", "--output",
                    scratch("new"), option,
                    scratch("run"),
                ]
            )
            #expect(
                training.errors.contains(
                    "\(scratch("run")): is a folder, not a model. Give the file \(scratch("run"))/best.safetensors."
                ),
                "\(training.errors)"
            )
        }
        try scratch.write("", "run/last.checkpoint")
        let checkpoint = segnet("predict", scratch("a.png"), "--model", scratch("run/last.checkpoint"))
        #expect(
            checkpoint.errors.contains(
                "last.checkpoint: is a checkpoint, which training continues from, not a model. Give the file \(scratch("run"))/best.safetensors."
            ),
            "\(checkpoint.errors)"
        )
    }

    @Test("a prototxt of more layers than any network has is refused at once")
    func layers() throws {
        let scratch = try ScratchFolder()
        let lines = (0..<38_000).map { "layer { name: \"r\($0)\" type: \"ReLU\" bottom: \"data\" top: \"data\" }" }
        try scratch.write(
            "input: \"data\" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n" + lines.joined(separator: "\n"),
            "deep.prototxt"
        )
        // The processor's seconds of this thread, which a busy machine does not stretch: 0.2 here.
        func seconds() -> Int {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return time.tv_sec
        }
        let start = seconds()
        let result = segnet("info", scratch("deep.prototxt"))
        #expect(
            result.exitCode == 1 && result.errors.contains("it has 38000 layers; at most 10000 can be read."),
            "\(result.errors)"
        )
        #expect(seconds() - start < 20)
    }

    @Test("dropout ratios that drop nothing sensible are refused", arguments: ["1", "-1", "1e999"])
    func dropout(ratio: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write(
            """
            input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
            layer { name: "d" type: "Dropout" bottom: "data" top: "d" dropout_param { dropout_ratio: \(ratio) } }
            """,
            "d.prototxt"
        )
        let result = segnet("info", scratch("d.prototxt"))
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains("its ratio is ") && result.errors.contains("at least 0 and below 1"),
            "\(result.errors)"
        )
    }

    @Test("--quiet leaves notes and progress out, not results and errors")
    func quiet() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("few/a.png")
        try scratch.write("text", "few/readme.md")
        try scratch.write("text", "few/broken.png")
        try scratch.model("m.safetensors")
        let words = ["predict", scratch("few"), "--model", scratch("m.safetensors"), "--output", scratch("out")]
        let loud = segnet(words, isTerminal: true)
        let quiet = segnet(words + ["--quiet"], isTerminal: true)
        #expect(loud.errors.contains("note: 1 other file") && loud.errors.contains("\r"))
        #expect(
            quiet.exitCode == 1 && !quiet.errors.contains("note: ") && !quiet.errors.contains("\r"),
            "\(quiet.errors)"
        )
        #expect(quiet.errors.contains("error: \(scratch("few/broken.png"))") && quiet.output.contains("1 picture in "))
    }

    @Test("the README's first screen and 'make help' say the same of the two commands")
    func firstScreen() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let makefile = try String(contentsOf: root.appending(path: "Makefile"), encoding: .utf8)
        let first = readme.split(separator: "\n", omittingEmptySubsequences: false).prefix(40).joined(separator: "\n")
        for command in ["make demo", "make test", "make uninstall"] {
            #expect(first.contains(command), "\(command)")
            #expect(makefile.contains("\n\(command.dropFirst(5)): "), "\(command)")
        }
        #expect(makefile.contains("demo: build ## Segment the bundled street photo"))
    }
}
