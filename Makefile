# The front door: the work is done by meson, ninja and the scripts in tools/.
PREFIX ?= /usr/local
export PREFIX DESTDIR

all:     ; @tools/need build && tools/build release
run:     all ; @tools/need run && build/src/cli/containr run -- sh -c 'id; hostname; ls /'
check:   ; @tools/need build check && tools/check
lint:    ; @tools/need build check lint && tools/lint
bench:   all ; @tools/need bench && tools/bench $(ARGS)
install: all ; @tools/install
clean:   ; rm -rf build build-check
.PHONY: all run check lint bench install clean
