"""Boxes on a grid. Source: Redmon & Farhadi 2016, "YOLO9000"; non-maximum suppression as in Girshick et al. 2014."""

import torch
import torch.nn as nn


def bbox_iou(box1, box2):
    b1_x1, b1_x2 = box1[:, 0] - box1[:, 2] / 2, box1[:, 0] + box1[:, 2] / 2
    b1_y1, b1_y2 = box1[:, 1] - box1[:, 3] / 2, box1[:, 1] + box1[:, 3] / 2
    b2_x1, b2_x2 = box2[:, 0] - box2[:, 2] / 2, box2[:, 0] + box2[:, 2] / 2
    b2_y1, b2_y2 = box2[:, 1] - box2[:, 3] / 2, box2[:, 1] + box2[:, 3] / 2
    inter = torch.clamp(torch.min(b1_x2, b2_x2) - torch.max(b1_x1, b2_x1), min=0) * torch.clamp(
        torch.min(b1_y2, b2_y2) - torch.max(b1_y1, b2_y1), min=0
    )
    return inter / (box1[:, 2] * box1[:, 3] + box2[:, 2] * box2[:, 3] - inter + 1e-16)


def nms(boxes, scores, threshold=0.3):
    order, keep = scores.sort(descending=True)[1], []
    while order.numel() > 0:
        i = order[0].item()
        keep.append(i)
        if order.numel() == 1:
            break
        iou = bbox_iou(boxes[i].unsqueeze(0), boxes[order[1:]])
        order = order[(iou <= threshold).nonzero().squeeze(1) + 1]
    return keep


class YOLOLayer(nn.Module):
    def __init__(self, anchors, num_classes):
        super().__init__()
        self.anchors, self.na, self.nc = torch.tensor(anchors), len(anchors), num_classes
        self.mse_loss, self.bce_loss = nn.MSELoss(), nn.BCEWithLogitsLoss()

    def forward(self, x, targets):
        nB, nG = x.size(0), x.size(2)
        prediction = x.view(nB, self.na, self.nc + 5, nG, nG).permute(0, 1, 3, 4, 2).contiguous()
        xy, wh, conf, cls = (
            torch.sigmoid(prediction[..., :2]),
            prediction[..., 2:4],
            prediction[..., 4],
            prediction[..., 5:],
        )
        grid_x = torch.arange(nG).repeat(nG, 1).view([1, 1, nG, nG]).type(x.dtype)
        grid_y = torch.arange(nG).repeat(nG, 1).t().view([1, 1, nG, nG]).type(x.dtype)
        pred_boxes = torch.zeros(prediction[..., :4].shape)
        pred_boxes[..., 0] = xy.data[..., 0] + grid_x
        pred_boxes[..., 1] = xy.data[..., 1] + grid_y
        pred_boxes[..., 2:] = torch.exp(wh.data) * self.anchors.view(1, -1, 1, 1, 2).to(x.dtype)
        obj_mask = torch.zeros(nB, self.na, nG, nG, dtype=torch.bool)
        noobj_mask = torch.ones(nB, self.na, nG, nG, dtype=torch.bool)
        tx, tcls = torch.zeros(nB, self.na, nG, nG, 2), torch.zeros(nB, self.na, nG, nG, self.nc)
        b, labels = targets[:, :2].long().t()
        gxy = targets[:, 2:4] * nG
        gi, gj = gxy.long().t()
        best = torch.stack([(targets[:, 4:] * nG - a).abs().sum(1) for a in self.anchors]).min(0)[1]
        obj_mask[b, best, gj, gi] = 1
        noobj_mask[b, best, gj, gi] = 0
        tx[b, best, gj, gi] = gxy - gxy.floor()
        tcls[b, best, gj, gi, labels] = 1
        loss = self.mse_loss(xy[obj_mask], tx[obj_mask]) + self.bce_loss(cls[obj_mask], tcls[obj_mask])
        loss = loss + self.bce_loss(conf[obj_mask], obj_mask[obj_mask].to(x.dtype))
        return loss + 5 * self.bce_loss(conf[noobj_mask], obj_mask.to(x.dtype)[noobj_mask]), pred_boxes, conf


torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.Mish(), nn.Conv2d(6, 2 * 8, 1))
layer = YOLOLayer([[1.0, 1.0], [2.0, 1.5]], 3)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
images = torch.rand(2, 3, 8, 8)
targets = torch.tensor([[0, 1, 0.4, 0.6, 0.3, 0.2], [1, 2, 0.8, 0.1, 0.5, 0.4], [1, 0, 0.2, 0.3, 0.2, 0.2]])
losses = []
for _ in range(4):
    loss, boxes, conf = layer(net(images), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
kept = nms(boxes[0].view(-1, 4), conf[0].detach().view(-1))
results = {"losses": losses, "boxes": boxes, "kept": kept}
