import SegNetNetworks

extension CaffeNetworkReader {
    /// The kind of a layer, by Caffe's type name.
    mutating func operation(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        switch layer.type {
        case "Convolution": return try convolution(layer, line)
        case "Deconvolution": return try deconvolution(layer, line)
        case "BN": return batchNormalization(layer)
        case "Scale": return try scale(layer, line)
        case "ReLU": return try relu(layer, line)
        case "ELU": return .elu(ELU(alpha: Self.decimal(layer.eluParam.alpha)))
        case "Pooling": return try pooling(layer, line)
        case "Upsample": return try upsample(layer, line)
        case "Unpooling": return try unpooling(layer, line)
        case "LRN": return try lrn(layer, line)
        case "Dropout": return dropout(layer)
        case "Eltwise": return try eltwise(layer, line)
        case "Concat": return try concat(layer, line)
        case "Crop": return try crop(layer, line)
        case CaffeNetwork.automaticCrop: return try automaticCrop(layer, line)
        case "Interp": return try interp(layer, line)
        case "Softmax": return try softmax(layer, line)
        case "ArgMax": return try argmax(layer, line)
        case "InnerProduct": return innerProduct(layer)
        default:
            throw refused(
                line,
                "layer '\(layer.name)' is of type \(layer.type), which is not supported",
                advice: "Supported are \(Self.supportedTypes.dropLast().joined(separator: ", ")) and InnerProduct"
            )
        }
    }

    /// The types that `operation` knows, under their new names.
    static let supportedTypes = [
        "Convolution", "Deconvolution", "BN", "Scale", "ReLU", "ELU", "Pooling", "Upsample", "Unpooling", "LRN",
        "Dropout", "Eltwise", "Concat", "Crop", "Interp", "Softmax", "ArgMax", "InnerProduct",
    ]

    private func window(_ parameter: Caffe_ConvolutionParameter, _ name: String, _ line: Int) throws(FormatError)
        -> Window
    {
        /// Caffe's rule: the separate words if one is there, else one number for both axes or one for each.
        func pair(_ both: [UInt32], _ height: UInt32?, _ width: UInt32?, default value: Int) -> (Int, Int) {
            if height != nil || width != nil { return (Int(height ?? 0), Int(width ?? 0)) }
            return (Int(both.first ?? UInt32(value)), Int(both.last ?? UInt32(value)))
        }
        let p = parameter
        let kernel = pair(p.kernelSize, p.hasKernelH ? p.kernelH : nil, p.hasKernelW ? p.kernelW : nil, default: 0)
        let stride = pair(p.stride, p.hasStrideH ? p.strideH : nil, p.hasStrideW ? p.strideW : nil, default: 1)
        let pad = pair(p.pad, p.hasPadH ? p.padH : nil, p.hasPadW ? p.padW : nil, default: 0)
        var dilation = pair(p.dilation, p.hasHoleH ? p.holeH : nil, p.hasHoleW ? p.holeW : nil, default: 1)
        if p.hasHole { dilation = (Int(p.hole), Int(p.hole)) }
        guard kernel.0 > 0, kernel.1 > 0, p.numOutput > 0 else {
            throw refused(line, "layer '\(name)' needs a num_output and a kernel_size of at least 1")
        }
        return Window(
            height: kernel.0,
            width: kernel.1,
            strideY: stride.0,
            strideX: stride.1,
            paddingY: pad.0,
            paddingX: pad.1,
            dilationY: dilation.0,
            dilationX: dilation.1
        )
    }

    private func convolution(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let parameter = layer.convolutionParam
        return .convolution(
            Convolution(
                outputChannels: Int(parameter.numOutput),
                window: try window(parameter, layer.name, line),
                groups: Int(parameter.group),
                hasBias: parameter.biasTerm
            )
        )
    }

    private func deconvolution(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let parameter = layer.convolutionParam
        return .transposedConvolution(
            TransposedConvolution(
                outputChannels: Int(parameter.numOutput),
                window: try window(parameter, layer.name, line),
                groups: Int(parameter.group),
                hasBias: parameter.biasTerm
            )
        )
    }

    private func batchNormalization(_ layer: Caffe_LayerParameter) -> Operation {
        .batchNormalization(BatchNormalization(statistics: layer.bnParam.bnMode == .inference ? .folded : .batch))
    }

    private func scale(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let p = layer.scaleParam
        guard layer.bottom.count == 1, p.axis == 1 || p.axis == -3, p.numAxes == 1 else {
            throw refused(
                line,
                "layer '\(layer.name)' does not scale by one number per channel (axis: 1), the only form supported"
            )
        }
        return .scale(Scale(hasShift: p.biasTerm))
    }

    /// What Caffe fills a Scale layer with that the weights lack, where the file states a constant, as FCN's at-once nets do.
    static func filling(_ layer: Caffe_LayerParameter) -> CaffeNetworkDescription.Filling? {
        let p = layer.scaleParam
        guard layer.type == "Scale", p.hasFiller, p.filler.type == "constant",
            !p.biasTerm || p.biasFiller.type == "constant"
        else { return nil }
        return CaffeNetworkDescription.Filling(scale: p.filler.value, shift: p.biasFiller.value)
    }

    private func relu(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        guard layer.reluParam.negativeSlope == 0 else {
            throw refused(line, "layer '\(layer.name)' has a negative_slope, which is not supported")
        }
        return .relu(ReLU())
    }

    func pooling(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let p = layer.poolingParam
        guard p.pool == .max && !p.globalPooling || p.pool == .ave else {
            let kind = p.pool == .max ? "pools the maximum of the whole map" : "has a pool other than MAX and AVE"
            throw refused(line, "layer '\(layer.name)' \(kind), which is not supported")
        }
        if p.globalPooling { return .averagePooling(AveragePooling(window: nil)) }
        let window = Window(
            height: Int(p.hasKernelH ? p.kernelH : p.kernelSize),
            width: Int(p.hasKernelW ? p.kernelW : p.kernelSize),
            strideY: Int(p.hasStrideH ? p.strideH : p.stride),
            strideX: Int(p.hasStrideW ? p.strideW : p.stride),
            paddingY: Int(p.hasPadH ? p.padH : p.pad),
            paddingX: Int(p.hasPadW ? p.padW : p.pad)
        )
        if p.pool == .ave { return .averagePooling(AveragePooling(window: window)) }
        // Indices of other windows than 2x2 cannot be kept; nothing published reads them.
        let indices = layer.top.dropFirst().first
        let isRead = source.layers.contains { other in indices.map { other.parameter.bottom.contains($0) } ?? false }
        let isUsual = MaxPooling(window: window).isTwoByTwo
        return .maxPooling(MaxPooling(window: window, givesIndices: indices != nil && (isUsual || isRead)))
    }

    private mutating func upsample(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let p = layer.hasUpsampleParam ? layer.upsampleParam : layer.upsampleParamCudnn5
        if p.hasUpsampleH && p.hasUpsampleW {
            return .unpooling(Unpooling(declaredHeight: Int(p.upsampleH), declaredWidth: Int(p.upsampleW)))
        }
        let scales = [p.hasScaleH ? p.scaleH : p.scale, p.hasScaleW ? p.scaleW : p.scale]
        guard scales == [2, 2] else {
            throw refused(
                line,
                "layer '\(layer.name)' has the scale \(scales[0])x\(scales[1]); only 2 undoes a pooling"
            )
        }
        statedScales[layer.name] = (p.padOutH ? 1 : 0, p.padOutW ? 1 : 0)
        return .unpooling(Unpooling())
    }

    private func unpooling(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let p = layer.unpoolingParam
        guard p.unpool == .max else {
            throw refused(line, "layer '\(layer.name)' has an unpool other than MAX, which is not supported")
        }
        func size(_ side: UInt32) -> Int? {
            let size = side > 0 ? side : p.unpoolSize
            return size > 0 ? Int(size) : nil
        }
        return .unpooling(Unpooling(declaredHeight: size(p.unpoolH), declaredWidth: size(p.unpoolW)))
    }

    private func lrn(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let p = layer.lrnParam
        guard p.normRegion == .acrossChannels else {
            throw refused(line, "layer '\(layer.name)' normalises WITHIN_CHANNEL, which is not supported")
        }
        return .localResponseNormalization(
            LocalResponseNormalization(
                size: Int(p.localSize),
                alpha: Self.decimal(p.alpha),
                beta: Self.decimal(p.beta),
                k: Self.decimal(p.k)
            )
        )
    }

    /// The number as the file has it: 0.0001, not the float's 0.00009999999747.
    private static func decimal(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }

    private mutating func dropout(_ layer: Caffe_LayerParameter) -> Operation {
        let p = layer.dropoutParam
        if p.sampleWeightsTest { sampledLayers.append(layer.name) }
        return .dropout(Dropout(ratio: Self.decimal(p.dropoutRatio), samplesAtTest: p.sampleWeightsTest))
    }

    private func eltwise(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let p = layer.eltwiseParam
        guard p.operation == .sum else {
            throw refused(line, "layer '\(layer.name)' is an Eltwise other than SUM, which is not supported")
        }
        let isPlain = p.coeff.allSatisfy { $0 == 1 }
        return .addition(Addition(coefficients: isPlain ? nil : p.coeff))
    }

    private func concat(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let axis = layer.concatParam.hasAxis ? Int(layer.concatParam.axis) : Int(layer.concatParam.concatDim)
        guard axis == 1 || axis == -3 else {
            throw refused(line, "layer '\(layer.name)' joins along axis \(axis); only channels (1) can be joined")
        }
        return .concatenation(Concatenation())
    }

    private func crop(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let offsets = layer.cropParam.offset
        guard layer.cropParam.axis == 2 || layer.cropParam.axis == -2, offsets.count <= 2 else {
            throw refused(line, "layer '\(layer.name)' crops other axes than height and width (axis: 2)")
        }
        return .crop(Crop(top: Int(offsets.first ?? 0), left: Int(offsets.last ?? 0)))
    }

    /// The old CROP: the offset follows from the windows between the two blobs.
    private func automaticCrop(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        guard layer.bottom.count == 2 else {
            throw refused(line, "layer '\(layer.name)' needs two bottoms: the blob to crop, and one of the wanted size")
        }
        let offset: (top: Int, left: Int)
        do throws(CoordinateMaps.Failure) {
            offset = try CoordinateMaps(layers).cropOffset(of: layer.bottom[0], at: layer.bottom[1])
        } catch {
            throw refused(
                line,
                "layer '\(layer.name)' states no offset, and none follows from the layers before it: \(error.reason)",
                advice: "Write the offset: layer { type: \"Crop\" crop_param { axis: 2 offset: 19 } }"
            )
        }
        return .crop(Crop(top: offset.top, left: offset.left))
    }

    /// In the order of DeepLab's `interp_layer.cpp`, whose second version takes what its first refuses: several of these words at once.
    private func interp(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let p = layer.interpParam
        guard p.padBeg <= 0, p.padEnd <= 0 else {
            throw refused(
                line,
                "layer '\(layer.name)' adds rows (pad_beg \(p.padBeg), pad_end \(p.padEnd)), which DeepLab's Caffe refuses too",
                advice: "Give 0, or the number of rows to cut off as a number below 0"
            )
        }
        let cut = Resize.Margins(begin: -Int(p.padBeg), end: -Int(p.padEnd))
        let target: Resize.Target
        switch (p.hasShrinkFactor, p.hasZoomFactor) {
        case (true, false): target = .shrunk(by: Int(p.shrinkFactor))
        case (false, true): target = .factor(Int(p.zoomFactor))
        case _ where p.hasHeight && p.hasWidth: target = .size(height: Int(p.height), width: Int(p.width))
        case (true, true): target = .ratio(shrink: Int(p.shrinkFactor), zoom: Int(p.zoomFactor))
        case _ where layer.bottom.count > 1: target = .reference
        default:
            throw refused(
                line,
                "layer '\(layer.name)' needs a zoom_factor, a shrink_factor, a height and a width, or a second 'bottom'"
            )
        }
        return .resize(Resize(to: target, cut: cut == Resize.Margins() ? nil : cut))
    }

    private func softmax(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        guard layer.softmaxParam.axis == 1 || layer.softmaxParam.axis == -3 else {
            throw refused(
                line,
                "layer '\(layer.name)' takes its softmax along axis \(layer.softmaxParam.axis), not over channels (1)"
            )
        }
        return .softmax(Softmax())
    }

    private func argmax(_ layer: Caffe_LayerParameter, _ line: Int) throws(FormatError) -> Operation {
        let p = layer.argmaxParam
        guard p.topK == 1, !p.outMaxVal, p.hasAxis, p.axis == 1 || p.axis == -3 else {
            throw refused(
                line,
                "layer '\(layer.name)' is an ArgMax other than 'axis: 1' with one class per pixel",
                advice: "Write argmax_param { axis: 1 }, or delete the layer: class ids are computed anyway"
            )
        }
        return .argmax(Argmax())
    }

    private mutating func innerProduct(_ layer: Caffe_LayerParameter) -> Operation {
        innerProducts.append(layer.name)
        let p = layer.innerProductParam
        return .innerProduct(InnerProduct(outputChannels: Int(p.numOutput), hasBias: p.biasTerm))
    }
}
