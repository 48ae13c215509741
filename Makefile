# The front door: the work is done by meson, ninja and the scripts in tools/.
PREFIX ?= /usr/local
export PREFIX DESTDIR

all:     ; @tools/need build && tools/build release
run:     all ; @tools/need run && build/src/cli/containr run --summary -- sh -c 'id; hostname; ls /'
check:   ; @tools/need build check && tools/check
check-vm: all ; @tools/need build check vm && CONTAINR_VM=1 /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/vm
lint:    ; @tools/need build check lint && tools/lint
bench:   all ; @tools/need bench && tools/bench $(ARGS)
install: all ; @tools/install
clean:   ; rm -rf build build-check
.PHONY: all run check check-vm lint bench install clean
