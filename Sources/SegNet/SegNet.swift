// SegNet
