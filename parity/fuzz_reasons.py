"""Where minigrad differs from PyTorch on purpose, as the fuzzer reads it; a reason must not fit what would be a fault.

A reason for another answer names, in `holds`, what must be true of the values: that they are PyTorch's to the call said plainly, or
alike wherever they are determined (both in fuzz_plainly.py). Without it a reason may only excuse what is refused, or what PyTorch
itself cannot answer.
"""

from typing import NamedTuple


class Reason(NamedTuple):
    """verdict, pattern: of which findings; the pattern is sought in "name | call | PyTorch | minigrad | what was done to the call".
    holds: of which ways and predicates of fuzz_plainly.py one must hold; nothing for refusals."""

    verdict: str
    pattern: str
    why: str
    holds: str = ""


REASONS = [
    Reason(
        "refused|class",
        "must be (bool|str|int|float|IntOrInts|tuple)",
        "an argument is what it is called, also where PyTorch's own Python takes anything for a truth, or looks at it only when the layer is called",
    ),
    Reason("refused|class", "complex", "there are no complex numbers"),
    Reason(
        "class",
        r"AttributeError: .* has no attribute .*TypeError|RuntimeError: input to _none_or_dtype\(\) must be None or torch.Tensor.*must be Tensor",
        "what is no tensor is a TypeError that names the argument, where PyTorch's Python code falls over it",
    ),
    Reason(
        "class",
        "TypeError.*RuntimeError: (a leaf|a view of a leaf)|RuntimeError: (a leaf|a view of a leaf).*TypeError",
        "of two mistakes in one call the engines name the other one first",
    ),
    Reason(
        "class",
        r"IndexError: .*expected all tensors to have the same dtype|must have the same scalar type.*IndexError: index_add|unpad_sequence\(.*a leaf Variable.*ValueError: there are|OverflowError: .*RuntimeError: a leaf|Fusion only for eval!.*must be Module",
        "of two mistakes in one call the engines name the other one first",
    ),
    Reason(
        "class",
        "don't support automatic differentiation.*TypeError|TypeError: .*'out'.*don't support automatic differentiation",
        "of two mistakes in one call the engines name the other one first",
    ),
    Reason(
        "class",
        "Overflow when unpacking|INTERNAL ASSERT|isIntegral",
        "PyTorch stumbles over its own reading of the number",
    ),
    Reason(
        "class",
        "dtype.*not implemented for|not implemented for.*(same|dtype)",
        "of two mistakes in the types the engines name the other one first",
    ),
    Reason(
        "different",
        r"(topk|kthvalue|sort|argsort|(nan)?median|mode|(nan)?quantile) \|",
        "which of several equal values is unspecified",
        "ties",
    ),
    Reason(
        "taken",
        r"scatter_?\(.*src=[-\d.e]+|keepdim=False|keepdims=|\b(x|a)=|axis=|dim0=|indices_or_sections=|\b[Aab]=|dim=\w+\[|x=None|decimals=None|trap(z|ezoid)\(.*, None,|randint_like\(.*low=|subtract_?\(.*got \((Tensor, )?int, Tensor\)|pow\(np\.",
        "a spelling more than PyTorch takes, which means what it says",
        "by_position without_none numbers",
    ),
    Reason(
        "different",
        r"float64\[.*(float(16|32)|int\d+|bool)\[|(float(16|32)|int\d+|bool)\[.*float(64|16)\[|float16\[.*float32",
        "of mixed types: an intermediate result in the wider one",
        "of_one_type floating",
    ),
    Reason(
        "different",
        r"(pixel_unshuffle|PixelUnshuffle).*\[\]",
        "PyTorch leaves empty tensors in their shape",
        "empty",
    ),
    Reason(
        "refused|class",
        "invalid Poisson rate, expected rate to be less than 2",
        "a count of more than 64 bits: PyTorch's is the lowest whole number there is",
    ),
    Reason(
        "refused",
        "embedding_bag: (with include_last_offset the last must be|offsets must not decrease)",
        "bags that do not end where the input does, or run backwards: PyTorch's values and gradients are of different bags, or it crashes",
    ),
    Reason(
        "refused",
        r"^(nn|optim|distributions|utils)\..*ValueError: Overflow when unpacking long long: -?\d{19} does not fit 64 bits",
        "a whole number has 64 bits, also where PyTorch's own Python does nothing with it",
    ),
    Reason(
        "refused",
        r"^nn\..*must be Module or None",
        "an argument is what it is called, also where PyTorch's own Python takes anything for a truth, or looks at it only when the layer is called",
    ),
    Reason(
        "refused",
        r"(affine=False|InstanceNorm\dd).*(device|dtype)=.*(Expected one of cpu|argument '(device|dtype)')",
        "a layer's device and type are looked at also where it has no parameters",
    ),
    Reason(
        "refused",
        r"conv\w*\(.*bias type should be the same",
        "input, weight and bias are of one type, also where PyTorch's kernel for this padding does not look at the bias's",
    ),
    Reason(
        "refused",
        r"distributions\.\w+\.(log_abs_det_jacobian|__call__|inv)\(.*must be Tensor",
        "an argument is what it is called, also where PyTorch's own Python does not look at it",
    ),
    Reason(
        "refused",
        r"Tensor\.set_\(.*Could not set tensor of type",
        "a tensor does not look at the memory of another type, whose bytes PyTorch would read as its own",
    ),
    Reason(
        "refused",
        "hardtanh_.*min_val cannot be greater than max_val",
        "an interval whose ends are exchanged is refused, as by hardtanh",
    ),
    Reason(
        "refused",
        r"(quantile|ndtr|tensorinv)\(.*out=.*don't support automatic differentiation",
        "out= is not recorded, also where PyTorch composes the function of others, and makes out a part of the graph",
    ),
    Reason("refused", "probability has to be between 0 and 1, but got nan", "nan is no probability"),
    Reason(
        "taken",
        "gradient: NotImplementedError: the derivative for 'inplace version of (asinh|acosh|atanh)'",
        "in place the derivative is that of the function, which PyTorch has only out of place",
        "out_of_place",
    ),
    Reason(
        "taken",
        "gradient: .*derivative for aten::floor_divide_? is not implemented",
        "a floor is flat: its derivative is 0, as PyTorch's own of div(rounding_mode='floor')",
        "flat_gradient",
    ),
    Reason(
        "taken",
        r"gradient: .*(gradient computation has been modified by an inplace|In-place \w+ backward calculation)",
        "the values that an in-place operation overwrites are kept for its own backward pass",
        "out_of_place apart contiguous constant",
    ),
    Reason(
        "taken",
        r"gradient: .*(addmv input tensors must have the same dtype|(Subtraction|Negation), the `-` operator,|can't be cast to the desired output type|index_fill_\(\): Expected dtype int64|returned an invalid gradient|a proper Tensor but got None|doesn't match the broadcast shape|value cannot be converted to type|Found dtype \w+ but expected)",
        "PyTorch's backward pass stumbles over types and sizes that its forward pass took",
        "of_one_type floating numbers floats",
    ),
    Reason(
        "taken",
        r"gradient: .*(Expected grad_output to have non-zero size|index \d+ is out of bounds for dimension \d+ with size 0|returned an invalid gradient|channels in must be positive. Value of groups:0)",
        "a result without elements has the gradient 0, of which PyTorch's backward pass makes nothing",
        "flat_gradient",
    ),
    Reason(
        "taken",
        r"gradient: RuntimeError: grad_input must be contiguous",
        "PyTorch's backward pass takes some layouts of memory only",
        "contiguous",
    ),
    Reason(
        "different",
        r"([Nn]orm\dd|group_norm|instance_norm|layer_norm|batch_norm|GroupNorm|LayerNorm)\(.*float32\[.*gradient: ",
        "of few elements a normalization's float32 gradient is a difference of nearly equal numbers; ours is nearer to the exact one",
        "nearer",
    ),
    Reason(
        "taken",
        r"distributions\..*value cannot be converted to type (u?int(\d+_t)?|\w+ char|short)\b",
        "PyTorch's own code writes nan among the whole numbers that it was given",
        "floating",
    ),
    Reason(
        "different",
        r"(cholesky|inv)_ex\(",
        "of a matrix that is not positive-definite there is no factor, and of a singular one no inverse: what stands in its place is unspecified",
        "failed",
    ),
    Reason(
        "taken",
        r"celu_?\(.*gradient: RuntimeError: value cannot be converted to type float without overflow",
        "PyTorch's backward pass takes 1 / alpha as a number of 32 bits, also of doubles",
        "in_range",
    ),
    Reason(
        "different",
        r"(CTCLoss|ctc_loss).*gradient: ",
        "a target that is the blank has no path of its own; PyTorch's gradient counts some paths of it less than once",
        "blank_target",
    ),
    Reason(
        "taken",
        r"partially initialized module '(torch\.)?_",
        "PyTorch's own modules, imported late where memory is limited",
    ),
    Reason(
        "taken",
        "(kron|parameters_to_vector|orthogonal_).*view size is not compatible|func.jvp.*single memory location",
        "PyTorch's kron, parameters_to_vector, orthogonal_ and jvp take some layouts of memory only",
        "contiguous apart",
    ),
    Reason("refused|class", r"np\.(True|False)_", "PyTorch takes NumPy's booleans for floats; here they are booleans"),
    Reason(
        "taken|different",
        r"np\.(True|False)_",
        "PyTorch takes NumPy's booleans for floats; here they are booleans",
        "numbers floating_numbers",
    ),
    Reason(
        "taken",
        "out=<.*(output with shape .* doesn't match the broadcast shape)",
        "the result is there before out= is written, so an input that has to grow may be out",
        "apart",
    ),
    Reason(
        "different",
        "histc.*out=<",
        "the result is there before out= is written; PyTorch overwrites what it is counting",
        "apart",
    ),
    Reason(
        "different",
        r"(searchsorted|bucketize)\(.* \| values$",
        "the boundaries are not in order: the answer is unspecified",
        "unordered",
    ),
    Reason(
        "different",
        r"(log|slog)det\(.*\[\[-0\.",
        "the derivative of ln|x| at 0 is infinite, with the sign of the zero",
        "infinite_gradient",
    ),
    Reason(
        "different",
        r"(cat|concat|concatenate)\(\[.*\[0\]=\[\].*gradient: ",
        "an empty vector beside tensors with more dimensions is passed over: it has no gradient",
        "empty_gradients",
    ),
    Reason(
        "different",
        r"(digamma|polygamma|psi|trigamma)_?\(.*\binf\b",
        "at a pole the derivative is infinite; PyTorch has the rounding error of a sine instead",
        "poles",
    ),
    Reason(
        "different",
        r"floor_divide\(.*out=",
        "what was written to out= has no derivative; PyTorch says that out requires grad",
        "apart",
    ),
    Reason(
        "different",
        r"cum(max|min)\(\w+\[[\d, ]*\b0\b.*gradient: ",
        "PyTorch's gradient of an empty tensor is a part of the graph",
        "empty_gradients",
    ),
    Reason(
        "refused",
        r"(add|sub)_?\(.*got multiple values for argument 'other'",
        "PyTorch's deprecated order (alpha, other), half named",
    ),
    Reason(
        "different",
        "masked_scatter_.*<",
        "the values are read before they are overwritten; PyTorch reads what it has written",
        "apart",
    ),
    Reason(
        "different",
        r"\bdet\(.*\[\[1\.,1\.\],\[1\.,1\.\]\].*gradient: ",
        "of a singular matrix the derivative is the matrix of cofactors; PyTorch's is that of another matrix nearby",
        "cofactors",
    ),
    Reason(
        "different",
        r"(std|var)(_mean)?\(.*(\(,\)|\[\]).*gradient: ",
        "PyTorch's backward pass takes dim=() for one element, its forward pass for all",
        "whole",
    ),
    Reason(
        "different",
        r"(std|var)(_mean)?\(.*correction=\d{2,}.*gradient: ",
        "a variance with fewer elements than are taken off is infinite, and its root has no derivative",
        "infinite_gradient",
    ),
    Reason(
        "different",
        r"(addmm|addmv|addbmm|baddbmm|addr)_?\(.*((alpha|beta)=|, )-?(inf|nan)",
        "infinity times 0: where it becomes nan depends on the order of sums and products",
        "finite",
    ),
    Reason(
        "different",
        r"(dist|norm|renorm)_?\(.*\b(2147483648|4611686018427387904|9223372036854775808|1e\+40|1e\+300|100|nan),?",
        "powers that overflow; PyTorch takes the only element of a row as it is",
        "finite",
    ),
    Reason(
        "different", r"Tensor\.resize_(as_)?\(", "what stands in memory that was never written is unspecified", "grown"
    ),
    Reason(
        "different",
        "triangular_solve",
        "the second result is A as it was given: its shape, and whether it requires grad",
        "first_result",
    ),
    Reason(
        "different",
        r"qr\(\w+\[[\d, ]*\]E.*gradient: ",
        "all rows alike: a matrix without full rank has no derivative of qr",
        "same_results",
    ),
    Reason(
        "refused",
        "out= is a view, whose memory is too small",
        "memory that several tensors look at cannot grow, and this is said",
    ),
    Reason(
        "refused",
        r"batch_norm\(.*refers to a single memory location",
        "running statistics of several channels in one number: PyTorch keeps what it writes last for all of them",
    ),
    Reason(
        "refused", r"index -?9223372036854775\d\d\d is out of bounds", "PyTorch reads outside the memory of the tensor"
    ),
    Reason(
        "refused",
        r"unravel_index\(.*ValueError: indices of",
        "PyTorch does not look whether the indices lie in the shape",
    ),
    Reason(
        "refused|class",
        r"(\d{9}|e\+\d\d).*there is not so much memory",
        "PyTorch's own count of the elements overflows, or it takes memory that is never there",
    ),
    Reason(
        "refused",
        r"(\[0, |, 0[,\]]).*Low precision dtypes not supported",
        "half precision is refused also of matrices without elements",
    ),
    Reason(
        "taken",
        r"iteration over a 0-d tensor|len\(\) of a 0-d tensor|'numpy\.int64' has no len|must be a float or int, got: <class '((torch\.)?Tensor|numpy\.\w+)'>|Expected float or int eta_min|Expected positive integer|'numpy\.\w+' object has no attribute 'expand'|batch_size should be a positive integer value, but got batch_size=[1-9]\d* \||upsample_\w+\(\) received an invalid combination",
        "a tensor without dimensions and NumPy's numbers are numbers, as everywhere else",
        "numbers",
    ),
    Reason(
        "taken",
        r"linalg\.(lstsq|tensorsolve|cond)\(.*\b[AB]=",
        "the argument's name in PyTorch's own documentation",
        "by_position",
    ),
    Reason(
        "taken",
        r"linalg\.cond\(.*\bA=",
        "the argument's name in PyTorch's own documentation; its backward pass falls over a change of its own",
        "named_and_constant",
    ),
    Reason("different", r"nn\.(Lazy)?Conv\w+\(.*\b0, ", "memory that is left as it was found", "shapes"),
    Reason(
        "different",
        r"([Nn]orm(alize)?|renorm_?|[Dd]ist(ance)?|(Triplet|triplet_)\w+)\(.*1e\+40",
        "a power that float32 does not hold: to PyTorch every norm of it is 1, and its gradient nan",
        "of_one_type",
    ),
    Reason(
        "refused", "is not supported by minigrad|is not implemented for minigrad", "what is not there says so by name"
    ),
    Reason(
        "refused",
        "kernel_size must be (greater|positive).*|kernel_size must be greater than 0",
        "a window of no elements has no largest one",
    ),
    Reason(
        "different",
        r"linalg\.lstsq\(.*\]!?, (rcond=)?(True|np\.True_|[\d.e+-]+|\w+\[\]=[\w.e+-]+)\)",
        "of columns that count as dependent: which part is left out",
        "shapes",
    ),
    Reason("refused", r"got \((int|bool|, )+\)", "a truth is no size"),
    Reason(
        "taken",
        r"GeneralizedPareto.*\w+ did not match Float|StudentT.*Index put requires the source and destination dtypes match",
        "PyTorch's code mixes a float32 number into float64 tensors",
        "float64_by_default of_one_type close_in_one_type",
    ),
    Reason(
        "taken",
        "(no attribute 'compiled_autograd'|module 'sympy' has no attribute 'core')",
        "PyTorch's own modules, imported late where memory is limited",
    ),
    Reason(
        "taken",
        r"unpad_sequence\(.*a leaf Variable that requires grad is being used in an in-place",
        "PyTorch turns the batch in place, which a leaf does not allow",
        "constant",
    ),
    Reason(
        "taken",
        r"clip_grad_value_\(.*Expected !nested_tensorlist",
        "no parameter has a gradient: there is nothing to clip, as for clip_grad_norm_",
    ),
    Reason(
        "different",
        r"lr_scheduler\.[\w.]+\(.*, ((total_iters|power|gamma|eta_min|factor|start_factor|end_factor|T_max|min_lr)=)?(float|int|bool)\d*\[\]=",
        "a tensor without dimensions in the place of a number gives rates that are numbers; PyTorch's become tensors",
        "numbers",
    ),
    Reason("taken", r"Multinomial\(total_count=np\.int64", "NumPy's whole numbers are whole numbers", "numbers"),
    Reason(
        "taken",
        r"index_put_?\(.*\((bool|uint8)\[\]=.*(shape mismatch: value tensor|INTERNAL ASSERT)",
        "PyTorch's own kernel fails where a mask has no dimensions",
    ),
    Reason(
        "taken",
        r"scatter\w*\(.*gradient: RuntimeError: (The size of tensor a|Function Scatter\w*Backward0 returned an invalid gradient)",
        "PyTorch's backward pass takes a source that is larger than its index for one of its size",
        "constant",
    ),
    Reason(
        "different",
        r"func\.linearize\(.*\)\(.* \| gradient: ",
        "PyTorch's linearize keeps no graph of the point",
        "same_results",
    ),
    Reason(
        "refused|class",
        "argument 'sample_shape' must be a tuple of ints",
        "a shape is a tuple or a list of whole numbers; PyTorch takes whatever it can iterate over",
    ),
    Reason(
        "class",
        "The value argument to log_prob must be a Tensor",
        "a value that is no tensor is named before it is computed with",
    ),
    Reason(
        "different",
        r"optim\.\w+\(.*(np\.(float|int)|(lr|weight_decay|momentum|eps|lr_decay|\w*alpha|etas|betas|\w+)=(float|int|bool)\d*\[\]=)",
        "NumPy's numbers and tensors of one are numbers: what is computed with them is in the parameters' type",
        "numbers",
    ),
    Reason(
        "different",
        r"invert_permutation\(",
        "of what is no permutation the places that no index names are unspecified",
        "shapes",
    ),
    Reason(
        "taken",
        "gradient: RuntimeError: view size is not compatible with input tensor's size and stride",
        "PyTorch's backward pass takes some layouts of memory only",
        "contiguous",
    ),
    Reason(
        "taken",
        "out=<.*unsupported operation: (some elements of the input|more than one element)",
        "the result is there before out= is written, so an input may be out",
        "apart",
    ),
    Reason(
        "taken",
        r"argnums must be .*numpy\.int64|negative_slope [\d.]+ not a valid number",
        "NumPy's whole numbers, and tensors of one number, are numbers",
        "numbers",
    ),
    Reason(
        "taken",
        r"\bdist\(.*gradient: RuntimeError: Expected a proper Tensor but got None",
        "a count has the derivative 0, of which PyTorch makes nothing",
        "flat_gradient",
    ),
    Reason(
        "different",
        r"scaled_dot_product_attention\(.*float32.*gradient: ",
        "where a softmax is saturated its gradient is a rounding error in float32, of PyTorch's not the smaller one",
        "of_one_type nearer_of_all rounded_scores",
    ),
    Reason(
        "different",
        r"pow_?\(.*\bFalse\b.*gradient: ",
        "a truth for an exponent is 0, whose power has the derivative 0; PyTorch looks for numbers that are 0",
        "counted",
    ),
    Reason(
        "different",
        r"optim\.Adam\w*\(.*\blr=\d\.?\d*e\+\d{3}",
        "a rate at the end of the numbers: of rate · m / √v PyTorch multiplies first, which overflows, and minigrad divides first",
        "overflown",
    ),
    Reason(
        "different",
        r"\b(pca_lowrank|svd_lowrank|svd)\(",
        "the vectors of a singular value of 0 are any that are orthogonal to the others",
        "low_rank",
    ),
    Reason(
        "different",
        r"\bcross\(",
        "of vectors of one direction the differences of products are 0, or their rounding, where one of two products is not rounded",
        "rounded_products",
    ),
    Reason(
        "different",
        r"eigvalsh\(.*out=<",
        "the result is there before out= is written; PyTorch gives its input another shape, and reads it after that",
        "apart",
    ),
    Reason(
        "different",
        r"(chebyshev|hermite|laguerre|legendre)_polynomial_\w+\(.*nan",
        "a polynomial of what is undefined is undefined; PyTorch's loop ends before it has a value, and gives what lies in memory",
        "undefined_here",
    ),
    Reason(
        "refused",
        r"lu_unpack\(.*the pivots are of other matrices",
        "PyTorch does not look whether there are pivots for each matrix, and reads outside of their memory",
    ),
    Reason(
        "taken",
        r"clamp\w*\(.*gradient: RuntimeError: output with shape",
        "PyTorch's backward pass of a bound with more dimensions fails; that of the other arguments is the same without it",
        "constant",
    ),
    Reason(
        "different",
        r"narrow_copy\(.*gradient: ",
        "a part that begins at a place counted from the back has the gradient of that part, which PyTorch's backward pass loses",
        "narrowed",
    ),
    Reason(
        "different",
        r"(matrix_norm|linalg\.norm|linalg\.cond)\(.*\]E.*gradient: ",
        "the vectors of a singular value of 0 are any that are orthogonal to the others",
        "same_results",
    ),
    Reason(
        "different",
        r"\bqr\(",
        "of columns that depend on the others there is none that is orthogonal to them: any unit vector that is stands for it",
        "dependent_columns",
    ),
    Reason(
        "different",
        r"logical_\w+\(.*\d{19}",
        "whether a number without dimensions is 0 is seen in its own type; PyTorch takes it in the other's, in which it is",
        "of_one_type",
    ),
    Reason(
        "different",
        r"batch_norm\(.*\]E.*gradient: ",
        "PyTorch's backward pass reads running statistics that are one number as if they lay side by side",
        "contiguous",
    ),
    Reason(
        "different",
        r"lu_solve\(.*gradient: .*(inf|nan)",
        "of a singular matrix the derivative is infinite or undefined",
        "infinite_gradient",
    ),
    Reason(
        "different",
        "gradient: ",
        "what has no elements has the gradient 0, or is no part of the graph",
        "no_elements",
    ),
    Reason(
        "taken",
        r"BatchSampler\(.*MemoryError",
        "batches are as long as they come to be; PyTorch makes room for one of the size that was asked for",
        "fewer",
    ),
    Reason(
        "different",
        r"linalg\.cond\(",
        "of a singular matrix the smallest singular value is a rounding error, and so is its condition number",
        "singular",
    ),
    Reason(
        "taken",
        r"optim\.\w+\(.*Boolean alpha only supported for Boolean results",
        "a truth for a learning rate, or among an optimizer's other numbers, is 1, where PyTorch's own code takes it for one of several types",
        "floating_numbers",
    ),
    Reason(
        "different",
        r"cdist\(",
        "by a product of matrices the distance of equal rows is a rounding error, under a root",
        "squares",
    ),
    Reason(
        "taken",
        "out=<.*(tensor.mT is only supported on matrices|Dimension specified as -2 but tensor has no dimensions|linalg.svd: The input tensor A must have at least 2)",
        "the result is there before out= is written; PyTorch gives its input another shape, and reads it after that",
        "apart",
    ),
    Reason(
        "taken",
        r"optim\.\w+\(.*=bool\[\]=.*Negation, the `-` operator, on a bool tensor",
        "a truth among an optimizer's numbers is 0 or 1, where PyTorch's own code negates it",
        "floating numbers",
    ),
    Reason(
        "different",
        r"float32\[.*float64\[|float64\[.*float32\[|float16\[|checkpoint\(.*bool\[.*float64\[|distributions\..*float64\[.*(int\d+|bool)\[",
        "of mixed types: what is computed in the narrower one is rounded in it, in each engine in its own order",
        "rounding",
    ),
    Reason(
        "taken",
        r"Subtraction, the `-` operator, with a bool tensor",
        "a truth among a distribution's numbers is 0 or 1, where PyTorch's own code subtracts it",
        "floating",
    ),
    Reason(
        "refused",
        r"matrix_exp\(.*Low precision dtypes not supported",
        "of halves PyTorch's exponential of ones is infinite: what it computes with does not fit them",
    ),
    Reason(
        "refused",
        r"nextafter_\(.*derivative for aten::nextafter is not implemented",
        "in place PyTorch passes a gradient on that has nothing to do with the step, and refuses it out of place",
    ),
    Reason(
        "different",
        r"logical_\w+_\(.*gradient: ",
        "a truth is flat: its derivative is 0, where PyTorch passes on the gradient of what was overwritten",
        "flat_gradient",
    ),
    Reason(
        "different",
        r"\bc?elu_\(.*gradient: ",
        "the derivative of what is undefined is undefined; in place PyTorch takes it for that of a positive number",
        "infinite_gradient",
    ),
    Reason(
        "taken",
        r"(nll_loss|cross_entropy|NLLLoss|CrossEntropyLoss)(\.forward)?\(.*gradient: RuntimeError: size mismatch \(got input",
        "PyTorch's backward pass refuses the size of a target that its forward pass took",
        "constant",
    ),
    Reason(
        "different",
        r"unpad_sequence\(",
        "PyTorch turns the batch that it was given in place",
        "same_results",
    ),
    Reason(
        "different",
        r"func\.(jacfwd|hessian)\(\w+, (argnums=)?\(?-\d",
        "an input may be counted from the back; PyTorch's forward mode then takes it for one that nothing depends on",
        "from_the_front",
    ),
    Reason(
        "different",
        r"distributions\.InverseGamma\(.*gradient: .*nan",
        "a moment that is infinite has no derivative; PyTorch multiplies the one that it leaves out by 0, and has nan",
        "undefined",
    ),
    Reason(
        "different",
        r"distributions\.(LKJCholesky\(.*float32\[|Kumaraswamy\(.*\d{10})",
        "of nearly equal numbers a difference of few digits: 1 less the squares of a row of a factor, or u to the power of 1e-12",
        "few_digits",
    ),
    Reason(
        "taken",
        r"lr_scheduler\.\w+\(.*bool\[\]=.*the `-` operator, (with|on) a bool tensor",
        "a truth among a scheduler's numbers is 0 or 1, where PyTorch's own code subtracts it",
        "numbers",
    ),
    Reason(
        "different",
        r"distributions\.VonMises",
        "PyTorch's Bessel functions are short polynomials with errors of 1e-7, and of what a difference leaves of them 5e-5",
        "exact_bessel",
    ),
    Reason(
        "different",
        r"\b[cp]dist\(.*(e\+\d\d|\d{10}).*gradient: ",
        "of a power that float32 does not hold PyTorch's gradient is nan; here it is that of the largest distance",
        "undefined",
    ),
    Reason(
        "different",
        r"(ormqr|orgqr|householder_product)\(.*float32.*gradient: ",
        "of reflections that are none, whose factors fit no vector, products grow: ours are nearer to the exact ones",
        "nearer",
    ),
    Reason(
        "different",
        r"svd(vals)?\(.*gradient: ",
        "the vectors of a singular value of 0 are any that are orthogonal to the others",
        "vectors_of_zero",
    ),
    Reason(
        "different",
        r"logit_?\(.*gradient: ",
        "at 0 the derivative is infinite; in PyTorch's vectorized loop it has the sign of a negative zero, in its other one not",
        "infinite_gradient",
    ),
    Reason(
        "different",
        r"(hardtanh_?|hardshrink)\(.*nan.*gradient: ",
        "nothing is below or above nan: what lies between is passed on, as in PyTorch's plain loop; its vectorized one has 0",
        "zeroed",
    ),
    Reason(
        "different",
        r"\bgradient\(.*u?int8\[",
        "of places in 8 bits PyTorch takes the differences in 8 bits, where they start again at the other end",
        "of_one_type",
    ),
    Reason(
        "different",
        r"(masked_fill|fill)_\(",
        "whole numbers have no derivative; PyTorch says that they require grad when a value that does was put among them",
        "same_results",
    ),
    Reason(
        "taken",
        r"gradient: RuntimeError: isDifferentiableType",
        "whole numbers have no derivative; PyTorch keeps a graph of them, and asserts in it that there is none",
        "flat_gradient",
    ),
    Reason(
        "taken",
        r"distributions\.Wishart.*amax\(\): Expected reduction dim",
        "PyTorch's own code asks for the largest of the draws where there are no distributions",
    ),
    Reason(
        "different",
        r"distributions\.(Binomial|Multinomial|NegativeBinomial)\(.*(\d{16}|e\+\d\d)",
        "of more trials than doubles count in ones a rounding error decides which draws are taken, and what is left of a logarithm",
        "beyond_doubles",
    ),
]

# (name, tolerance, why): of what PyTorch's own values are not closer than this to the exact ones.
LOOSER_GRADIENTS = [
    (r"(nn\.functional\.)?celu_?$", 1e-6, "it takes 1 / alpha as a number of 32 bits, also of doubles"),
    (
        r"distributions\.(Beta|Chi2|Dirichlet|FisherSnedecor|Gamma|InverseGamma|LKJCholesky|NegativeBinomial|StudentT|Wishart)",
        1e-3,
        "its derivatives of gamma and beta variables are polynomials, with errors of 5e-4",
    ),
]
LOOSER = [
    (
        r"special\.bessel_[jy][01]$",
        1e-7,
        "between 5 and 10 they are short quotients of polynomials, with errors of 6e-8",
    ),
    (r"distributions\.", 1e-8, "its trigamma function, in gradients of entropies, is right to 1.2e-9"),
]
