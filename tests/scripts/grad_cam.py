"""What a network looks at, by hooks. Sources: Selvaraju et al. 2016, "Grad-CAM"; Simonyan et al. 2013, saliency."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
    nn.Flatten(), nn.Linear(6, 3),
)  # fmt: skip
model.eval()
activations, gradients, order = {}, {}, []


def forward_hook(module, input, output):
    activations["value"] = output
    order.append("forward")


def backward_hook(module, grad_input, grad_output):
    gradients["value"] = grad_output[0]
    order.append("backward")


handles = [model[2].register_forward_hook(forward_hook), model[2].register_full_backward_hook(backward_hook)]
img = torch.randn(1, 1, 9, 9, requires_grad=True)
logit = model(img)
score = logit[:, logit.max(1)[-1]].squeeze()
model.zero_grad()
score.backward(retain_graph=False)
b, k, u, v = gradients["value"].size()
alpha = gradients["value"].view(b, k, -1).mean(2)
weights = alpha.view(b, k, 1, 1)
saliency_map = F.relu((weights * activations["value"]).sum(1, keepdim=True))
saliency_map = F.upsample(saliency_map, size=(9, 9), mode="bilinear", align_corners=False)
low, high = saliency_map.min(), saliency_map.max()
saliency_map = (saliency_map - low).div(high - low + 1e-8).data
for handle in handles:
    handle.remove()
saliency, _ = torch.max(img.grad.data.abs(), dim=1)
integrated = torch.zeros_like(img)
for step in range(1, 6):
    scaled = (img.detach() * step / 5).requires_grad_()
    integrated += torch.autograd.grad(model(scaled)[0, 0], scaled)[0]
integrated = integrated * img.detach() / 5


class GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        positive_mask = (input > 0).type_as(input)
        output = torch.addcmul(torch.zeros(input.size()).type_as(input), input, positive_mask)
        ctx.save_for_backward(input, output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, output = ctx.saved_tensors
        positive_mask_1, positive_mask_2 = (input > 0).type_as(grad_output), (grad_output > 0).type_as(grad_output)
        zeros = torch.zeros(input.size()).type_as(input)
        return torch.addcmul(zeros, torch.addcmul(zeros, grad_output, positive_mask_1), positive_mask_2)


for idx, module in model._modules.items():
    if module.__class__.__name__ == "ReLU":
        model._modules[idx] = GuidedReLU.apply
guided = img.detach().clone().requires_grad_()
x = guided
for module in model._modules.values():
    x = module(x)
one_hot = torch.zeros_like(x)
one_hot[0][1] = 1
(one_hot * x).sum().backward()
results = {
    "cam": saliency_map,
    "saliency": saliency,
    "integrated": integrated,
    "guided": guided.grad,
    "calls": len(order),
}
